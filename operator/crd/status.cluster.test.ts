import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { testAnchor } from '../../core/spec/test-manifest.ts';
import { createNamespace, runTool } from '../../test/cluster/access.ts';
import { callApi } from '../../test/cluster/api.ts';
import type { ApiAnswer } from '../../test/cluster/api.ts';
import { sharedControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { anchorsPath, installCrd } from '../../test/cluster/install.ts';
import type { AnchorCondition, AnchorStatus } from './status.ts';

let cluster: ControlPlane;
let namespace: Awaited<ReturnType<typeof createNamespace>>;
beforeAll(async () => {
  cluster = await sharedControlPlane();
  await installCrd(cluster);
  namespace = await createNamespace(cluster, 'status');
}, 120_000);
afterAll(async () => namespace.remove());

async function createAnchor(name: string): Promise<string> {
  const anchor = testAnchor();
  anchor.metadata = { name, namespace: namespace.name };
  const answer = await callApi(cluster, 'POST', anchorsPath(namespace.name), anchor);
  expect(answer.status).toBe(201);
  return anchorsPath(namespace.name, name);
}

/** Server-side apply of a status by a field manager. */
async function apply(
  path: string,
  manager: string,
  status: AnchorStatus,
  more: object = {},
): Promise<ApiAnswer> {
  const body = { apiVersion: 'capstan.dev/v1alpha1', kind: 'Anchor', status, ...more };
  const url = `${path}/status?fieldManager=${manager}&fieldValidation=Strict`;
  return callApi(cluster, 'PATCH', url, body, 'application/apply-patch+yaml');
}

const condition = (type: string, more: Partial<AnchorCondition> = {}): AnchorCondition => ({
  type,
  status: 'True',
  observedGeneration: 1,
  lastTransitionTime: '2026-11-22T12:00:00Z',
  reason: 'AsWished',
  message: 'It is as it should be.',
  ...more,
});
const typesOf = ({ body }: ApiAnswer): readonly string[] =>
  (body.status.conditions as readonly AnchorCondition[]).map(({ type }) => type);

describe('the status of an Anchor', () => {
  test('two field managers own different conditions, and neither takes the other one away', async () => {
    const path = await createAnchor('managers');
    await apply(path, 'alice', { conditions: [condition('Ready'), condition('Accepted')] });
    expect(typesOf(await apply(path, 'bob', { conditions: [condition('Audited')] }))).toEqual([
      'Ready',
      'Accepted',
      'Audited',
    ]);
    const refused = await apply(path, 'bob', {
      conditions: [condition('Audited'), condition('Ready', { status: 'False' })],
    });
    expect(refused.status).toBe(409);
    expect(refused.body.message).toContain('conflict with "alice"');
    expect(typesOf(await apply(path, 'alice', { conditions: [condition('Ready')] }))).toEqual([
      'Ready',
      'Audited',
    ]);
  });

  test('writing it changes no generation and no spec, and writing the spec changes no status', async () => {
    const path = await createAnchor('apart');
    const spec = { host: 'elsewhere.example' };
    const before = (await callApi(cluster, 'GET', path)).body;
    const { body } = await apply(path, 'alice', { observedGeneration: 1 }, { spec });
    expect([body.metadata.generation, body.spec.host]).toEqual([1, before.spec.host]);
    const patch = { spec, status: { observedGeneration: 9 } };
    const changed = await callApi(cluster, 'PATCH', path, patch, 'application/merge-patch+json');
    expect(changed.body).toMatchObject({
      metadata: { generation: 2 },
      spec,
      status: { observedGeneration: 1 },
    });
  });

  test('a condition without a reason, or with one that is no word, is refused', async () => {
    const path = await createAnchor('conditions');
    const { reason, ...without } = condition('Ready');
    expect(reason).not.toBe('');
    const missing = await apply(path, 'alice', { conditions: [without as AnchorCondition] });
    expect([missing.status, missing.body.message]).toEqual([
      422,
      expect.stringContaining('status.conditions[0].reason: Required value'),
    ]);
    const odd = await apply(path, 'alice', { conditions: [condition('Ready', { reason: 'not one word' })] });
    expect([odd.status, odd.body.message]).toEqual([
      422,
      expect.stringContaining('status.conditions[0].reason: Invalid value'),
    ]);
  });

  test('all that the operator can say fits, and an asset is keyed by code and issuer', async () => {
    const path = await createAnchor('full');
    const status: AnchorStatus = {
      observedGeneration: 1,
      conditions: [condition('Ready')],
      urls: {
        home: 'https://a.example',
        toml: 'https://a.example/t',
        webAuth: 'https://a.example/auth',
        transferServer: 'https://a.example/sep24',
      },
      assets: [
        {
          code: 'SRT',
          issuer: 'G1',
          account: 'G2',
          balance: '12.5000000',
          trustline: true,
          authorised: true,
          suspended: false,
        },
        { code: 'native', issuer: '', account: 'G2', balance: '3.0000000' },
      ],
      assetCodes: 'SRT,native',
      versions: { operator: '0.1.0', server: '0.1.0', schema: 'Migration1' },
      server: { replicas: 2, readyReplicas: 2, selector: 'app=x', summary: '2/2' },
    };
    expect((await apply(path, 'alice', status)).body.status).toEqual(status);
    const bob = await apply(path, 'bob', { assets: [{ code: 'native' }] });
    expect(bob.body.status.assets).toEqual(status.assets);
  });

  test('kubectl shows what someone on call needs, by short name and by category', async () => {
    const path = await createAnchor('columns');
    await apply(path, 'alice', {
      conditions: [condition('Ready', { status: 'False', reason: 'SecretMissing', message: 'Make it.' })],
      assetCodes: 'SRT',
      versions: { server: '0.1.0' },
      server: { summary: '1/2' },
    });
    const show = async (...args: string[]): Promise<readonly string[]> => {
      const { stdout } = await runTool(cluster, 'kubectl', ['get', ...args, '-n', namespace.name]);
      return stdout.split('\n').filter((line) => line.startsWith('NAME') || line.includes('columns'));
    };
    expect((await show('anc', 'columns')).map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['NAME', 'READY', 'NETWORK', 'ASSETS', 'HOST', 'SERVER', 'VERSION', 'AGE'],
      [
        'columns',
        'False',
        'testnet',
        'SRT',
        'anchor.harbor.example',
        '1/2',
        '0.1.0',
        expect.stringMatching(/^\d+s$/),
      ],
    ]);
    const [head, row] = await show('anc', 'columns', '-o', 'wide');
    expect(head?.trim().split(/ {2,}/).slice(-3)).toEqual(['AGE', 'REASON', 'MESSAGE']);
    expect(row?.trim().split(/ {2,}/).slice(-2)).toEqual(['SecretMissing', 'Make it.']);
    expect(await show('stellar')).toEqual([
      expect.stringMatching(/^NAME/),
      expect.stringMatching(/^columns /),
    ]);
  });

  test('its server is scaled by kubectl, and an autoscaler finds its pods', async () => {
    const path = await createAnchor('scale');
    await apply(path, 'alice', { server: { replicas: 2, selector: 'app.kubernetes.io/instance=scale' } });
    const args = ['scale', '--replicas=3', 'anchor/scale', '-n', namespace.name];
    expect((await runTool(cluster, 'kubectl', args)).code).toBe(0);
    expect((await callApi(cluster, 'GET', path)).body.spec.server.replicas).toBe(3);
    expect((await callApi(cluster, 'GET', `${path}/scale`)).body).toMatchObject({
      spec: { replicas: 3 },
      status: { replicas: 2, selector: 'app.kubernetes.io/instance=scale' },
    });
  });
});
