import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { testAnchor } from '../../core/spec/test-manifest.ts';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { fieldCases, refusedByBoth, setAt } from '../../core/spec/testing/field-cases.ts';
import { createNamespace } from '../../test/cluster/access.ts';
import type { ApiAnswer } from '../../test/cluster/api.ts';
import { sharedControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { dryRun, installCrd } from '../../test/cluster/install.ts';

let cluster: ControlPlane;
let namespace: Awaited<ReturnType<typeof createNamespace>>;
beforeAll(async () => {
  cluster = await sharedControlPlane();
  await installCrd(cluster);
  namespace = await createNamespace(cluster, 'fields');
}, 120_000);
afterAll(async () => namespace.remove());

async function asked(bend: (anchor: Loose) => void): Promise<ApiAnswer> {
  const anchor = testAnchor();
  anchor.metadata.namespace = namespace.name;
  bend(anchor);
  return dryRun(cluster, namespace.name, anchor as object);
}
interface Cause {
  readonly field: string;
  readonly message: string;
}
const causesOf = ({ body }: ApiAnswer): readonly Cause[] =>
  (body.details?.causes as readonly Cause[] | undefined) ?? [];

describe('bounds of single fields, as the API server holds them', () => {
  test.each(fieldCases)('$path: just beyond is refused with "$message"', async ({ path, wrong, message }) => {
    const answer = await asked((anchor) => setAt(anchor, path, wrong));
    expect(answer.status).toBe(422);
    expect(causesOf(answer)).toContainEqual(
      expect.objectContaining({ field: path, message: expect.stringMatching(`${quoted(message)}\\.$`) }),
    );
  });

  test.each(fieldCases)('$path: the last right one passes (not "$message")', async ({ path, right }) => {
    const answer = await asked((anchor) => setAt(anchor, path, right));
    expect([answer.status, causesOf(answer)]).toEqual([201, []]);
  });

  test.each(refusedByBoth)('%s: %j is refused', async (path, wrong) => {
    const answer = await asked((anchor) => setAt(anchor, path, wrong));
    // An unknown field is refused before the rest is looked at.
    const says = JSON.stringify([answer.body.message, causesOf(answer)]);
    expect([400, 422]).toContain(answer.status);
    expect(says).toContain(path);
  });

  test.each([
    ['a'.repeat(31), 'metadata.name must be at most 30 characters long'],
    ['1harbor', 'metadata.name must be lower-case letters, digits and "-", start with a letter'],
    ['harbor.example', 'metadata.name must be lower-case letters, digits and "-", start with a letter'],
  ])('the name %s is refused, since names of its parts are made from it', async (name, message) => {
    const answer = await asked((anchor) => (anchor.metadata.name = name));
    expect([answer.status, causesOf(answer).length]).toEqual([422, 1]);
    expect(causesOf(answer)[0]!.message).toContain(message);
  });

  test('a name of 30 characters passes', async () => {
    expect((await asked((anchor) => (anchor.metadata.name = 'a'.repeat(30)))).status).toBe(201);
  });
});

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
