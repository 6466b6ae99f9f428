import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readManifest, soleAnchor } from '../../core/spec/manifest.ts';
import { resolveAnchor } from '../../core/spec/resolve.ts';
import { createNamespace, runTool } from '../../test/cluster/access.ts';
import { sharedControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { installCrd } from '../../test/cluster/install.ts';

const FOLDER = new URL('../../examples/anchors/', import.meta.url);
/** Left without keys on purpose: `capstan dev` makes them. */
const FOR_DEVELOPMENT = 'demo.yaml';
const samples = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml') && name !== FOR_DEVELOPMENT);
const textOf = (sample: string): string => readFileSync(new URL(sample, FOLDER), 'utf8');

let cluster: ControlPlane;
let namespace: Awaited<ReturnType<typeof createNamespace>>;
beforeAll(async () => {
  cluster = await sharedControlPlane();
  await installCrd(cluster);
  namespace = await createNamespace(cluster, 'samples');
}, 120_000);
afterAll(async () => namespace.remove());

const inNamespace = (sample: string): string =>
  textOf(sample).replace('namespace: harbor }', `namespace: ${namespace.name} }`);

describe('the samples in examples/anchors', () => {
  test('show every network but a custom one, and every way to be reached', () => {
    const specs = samples.map((sample) => soleAnchor(readManifest(textOf(sample), sample), sample).spec);
    expect(new Set(specs.map(({ network }) => network.name))).toEqual(
      new Set(['public', 'testnet', 'local']),
    );
    const exposures = specs.flatMap(({ expose }) => Object.keys(expose ?? {}));
    expect(new Set(exposures)).toEqual(new Set(['ingress', 'gateway', 'service']));
    const databases = specs.flatMap(({ database }) => (database.embedded ? ['embedded'] : ['secretRef']));
    expect(new Set(databases)).toEqual(new Set(['embedded', 'secretRef']));
  });

  test.each(samples)('%s is right for this process, word for word', (sample) => {
    const { notes, ...manifest } = readManifest(textOf(sample), sample);
    expect(notes).toEqual([]);
    expect(resolveAnchor(soleAnchor({ notes, ...manifest }, sample)).name).toBe('harbor');
  });

  test.each(samples)('kubectl apply takes %s, and warns of nothing', async (sample) => {
    const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'];
    expect(await runTool(cluster, 'kubectl', args, { input: inNamespace(sample) })).toEqual({
      code: 0,
      stdout: 'anchor.capstan.dev/harbor serverside-applied (server dry run)\n',
      stderr: '',
    });
  });

  test('a slip of the hand in one is refused by name', async () => {
    const input = inNamespace('testnet.yaml').replace('organization:', 'organisation:');
    const { code, stderr } = await runTool(
      cluster,
      'kubectl',
      ['apply', '--dry-run=server', '--validate=strict', '-f', '-'],
      { input },
    );
    expect(code).toBe(1);
    expect(stderr).toContain('unknown field "spec.organisation"');
  });

  test('one without keys is for `capstan dev` alone, and the server says what is missing', async () => {
    const { code, stderr } = await runTool(
      cluster,
      'kubectl',
      ['apply', '-n', namespace.name, '--dry-run=server', '-f', '-'],
      { input: textOf(FOR_DEVELOPMENT) },
    );
    expect(code).toBe(1);
    expect(stderr).toContain('spec.signingKey: Required value');
    expect(stderr).toContain('spec.assets[0].distribution: Required value');
    expect(parse(textOf(FOR_DEVELOPMENT))).toMatchObject({ kind: 'Anchor' });
  });
});
