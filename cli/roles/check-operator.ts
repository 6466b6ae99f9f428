import { CapstanError, messageOf } from '../../core/runtime/errors.ts';
import { isRecord } from '../../core/spec/guards.ts';
import { API_VERSION, KIND } from '../../core/spec/schema/anchor.ts';
import { monotonicClock as clock } from '../../operator/engine/monotonic-clock.ts';
import { createKubeClient } from '../../operator/kube/client.ts';
import { inClusterCredentials } from '../../operator/kube/credentials.ts';
import { createTransport } from '../../operator/kube/transport.ts';
import { VERSION } from '../version.ts';

/** `capstan check-operator`. */
export interface CheckOperatorOptions {
  /** Absent: the pod's own access. */
  readonly kubeconfig?: string;
}

const TIMEOUT_MS = 20_000;

class OperatorUnwell extends CapstanError {
  constructor(why: string) {
    super('operator_unwell', why);
  }
}

/** What `helm test` runs: is an operator ready, and does the API server serve Anchors of this release? @throws OperatorUnwell */
export async function runCheckOperator(url: string, options: CheckOperatorOptions): Promise<number> {
  const version = await askOperator(url.replace(/\/+$/, ''));
  process.stdout.write(`the operator ${version} is ready: its caches are filled\n`);
  await askApi(options);
  process.stdout.write(`the API server serves ${KIND} in ${API_VERSION}\n`);
  return 0;
}

async function askOperator(url: string): Promise<string> {
  const ready = await ask(`${url}/health/ready`);
  if (ready.status !== 200)
    throw new OperatorUnwell(`The operator at ${url} is not ready (${ready.status}): see its log.`);
  const { body } = await ask(`${url}/internal/status`);
  const version = isRecord(body) ? body['version'] : undefined;
  if (version !== VERSION)
    throw new OperatorUnwell(
      `The operator is of ${String(version)}, this test of ${VERSION}: is a rollout under way?`,
    );
  return VERSION;
}

async function ask(url: string): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { status: answer.status, body: await answer.json() };
  } catch (error) {
    throw new OperatorUnwell(`The operator does not answer at ${url}: ${messageOf(error)}`);
  }
}

/** Every account may ask which APIs there are. */
async function askApi({ kubeconfig }: CheckOperatorOptions): Promise<void> {
  const credentials =
    kubeconfig === undefined
      ? inClusterCredentials({ env: process.env, clock })
      : await (
          await import('../../operator/kube/kubeconfig.ts')
        ).kubeconfigCredentials({ clock, path: kubeconfig });
  const transport = createTransport({ credentials, connections: 1 });
  const client = createKubeClient({
    transport,
    clock,
    userAgent: `capstan-test/${VERSION}`,
    fieldManager: 'capstan-test',
  });
  try {
    const found = await client.read(`/apis/${API_VERSION}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const resources: unknown = isRecord(found) ? found['resources'] : undefined;
    const isServed =
      Array.isArray(resources) && resources.some((one) => isRecord(one) && one['kind'] === KIND);
    if (!isServed)
      throw new OperatorUnwell(
        `The API server does not serve ${KIND} in ${API_VERSION}: apply crds/anchors.capstan.dev.yaml.`,
      );
  } finally {
    await transport.close();
  }
}
