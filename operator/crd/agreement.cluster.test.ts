import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rules } from '../../core/spec/rules.ts';
import { anchorSpec } from '../../core/spec/schema/anchor.ts';
import { testAnchor } from '../../core/spec/test-manifest.ts';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { setAt } from '../../core/spec/testing/field-cases.ts';
import { createNamespace } from '../../test/cluster/access.ts';
import { sharedControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { dryRun, installCrd } from '../../test/cluster/install.ts';
import { allPaths } from './testing/arbitrary-spec.ts';

let cluster: ControlPlane;
let namespace: Awaited<ReturnType<typeof createNamespace>>;
beforeAll(async () => {
  cluster = await sharedControlPlane();
  await installCrd(cluster);
  namespace = await createNamespace(cluster, 'agree');
}, 120_000);
afterAll(async () => namespace.remove());

/** What somebody, or something, may write where something else belongs. */
const TEXTS =
  `| |0|1|-1|01|1.|.5|1e3|1,5|1s|0s|400d|9999999d|ключ|😀|../../etc/passwd|'; drop table|native|public|local|custom|up
  |Issuer|a.example|a.example:99999|A.EXAMPLE|http://127.0.0.1|http://a.svc:80|http://a.svc.evil.example|https://u:p@a.example
  |ftp://a|10.0.0.0/8|64Mi|1 Gi|1e3Mi|harbor-keys|\n|\u0000`.split('|');
const LONG = [60, 400, 10_000].map((length) => 'x'.repeat(length));
const NUMBERS = [0, -1, 1.5, 65_536, 2 ** 53];
const MAPS = [{}, [{}], { unknown: 1 }, { name: 'a' }, { name: 'a', key: 'b' }, { a: { b: {} } }];
const LISTS = [[], [[]], ['a', 'a']];
const hostile = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS, ...LONG, ...NUMBERS, ...MAPS, ...LISTS, true, false),
  fc.integer({ min: -10, max: 1000 }),
  fc.string({ maxLength: 60, unit: 'binary-ascii' }),
);
/** Paths of single values of the test's Anchor; what this process alone looks into is left out. */
const paths = allPaths
  .filter((path) => !/^spec$|^spec\.toml$/.test(path))
  .map((path) => path.replaceAll('[]', '[0]'));

function accepts(spec: unknown): boolean {
  const parsed = anchorSpec.safeParse(spec);
  return parsed.success && rules.every((rule) => rule.violations(parsed.data).length === 0);
}

/** Written in the document, and what is put there. */
const slips = fc.array(fc.tuple(fc.constantFrom(...paths), hostile), { minLength: 1, maxLength: 2 });

describe('a spec with one or two things wrong in it', () => {
  test('is refused by the API server and by this process, or by neither', async () => {
    await fc.assert(
      fc.asyncProperty(slips, async (changes) => {
        const anchor: Loose = testAnchor();
        anchor.metadata.namespace = namespace.name;
        for (const [path, value] of changes) {
          try {
            setAt(anchor, path, value);
          } catch {
            // The way to it was overwritten by the change before.
          }
        }
        const { status, body } = await dryRun(cluster, namespace.name, anchor as object);
        expect([201, 400, 422]).toContain(status);
        expect({ accepted: status === 201, why: body.message ?? '' }).toEqual({
          accepted: accepts(anchor.spec),
          why: body.message ?? '',
        });
      }),
      { numRuns: 400 },
    );
  }, 120_000);
});
