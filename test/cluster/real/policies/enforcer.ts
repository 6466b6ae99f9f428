import { run } from '../../../../scripts/image/run.ts';
import { callApi } from '../../api.ts';
import { apiAccess } from '../cluster.ts';
import { pause } from '../processes.ts';
import { tableOf, type Namespace, type Pod, type Policy } from './rules.ts';

/**
 * Enforces NetworkPolicies on the node of the test cluster, whose network plugin knows none: looks every half second and writes
 * the table anew when something has changed. A pod is open until the first look after its start. `node enforcer.ts`
 */
const EVERY_MS = 500;
const access = await apiAccess();

async function list<T>(path: string): Promise<readonly T[]> {
  const { status, body } = await callApi(access, 'GET', path);
  if (status !== 200) throw new Error(`${path} was answered ${status}`);
  return (body as { items: readonly T[] }).items;
}

for (let last = ''; ; await pause(EVERY_MS)) {
  try {
    const [pods, namespaces, policies] = await Promise.all([
      list<Pod>('/api/v1/pods'),
      list<Namespace>('/api/v1/namespaces'),
      list<Policy>('/apis/networking.k8s.io/v1/networkpolicies'),
    ]);
    const table = tableOf({ pods, namespaces, policies });
    if (table === last) continue;
    await run('nft', ['--file', '-'], { input: table });
    last = table;
    console.log(new Date().toISOString(), `${policies.length} policies, ${table.split('\n').length} lines`);
  } catch (error) {
    console.error(String(error));
  }
}
