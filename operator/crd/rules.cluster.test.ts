import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rules } from '../../core/spec/rules.ts';
import { testAnchor } from '../../core/spec/test-manifest.ts';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { ruleCases } from '../../core/spec/testing/rule-cases.ts';
import { createNamespace } from '../../test/cluster/access.ts';
import { sharedControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { dryRun, installCrd } from '../../test/cluster/install.ts';

let cluster: ControlPlane;
let namespace: Awaited<ReturnType<typeof createNamespace>>;
beforeAll(async () => {
  cluster = await sharedControlPlane();
  await installCrd(cluster);
  namespace = await createNamespace(cluster, 'rules');
}, 120_000);
afterAll(async () => namespace.remove());

interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** What the server has against a spec; empty if it takes it. */
async function causes(bend: (spec: Loose) => void): Promise<readonly Cause[]> {
  const anchor = testAnchor();
  anchor.metadata.namespace = namespace.name;
  bend(anchor.spec);
  const { status, body } = await dryRun(cluster, namespace.name, anchor as object);
  expect([201, 422]).toContain(status);
  return status === 201 ? [] : (body.details.causes as readonly Cause[]);
}

const withCel = ruleCases.filter(({ rule }) =>
  rules.some(({ name, cel }) => name === rule && cel.length > 0),
);

describe('the rules between fields, as the API server holds them', () => {
  test.each(withCel)(
    '$rule is refused with its sentence, at its field, and with nothing else',
    async (one) => {
      const { message } = rules.find(({ name }) => name === one.rule)!;
      const found = await causes(one.breaks);
      // A second key in a keyed list is told by the server in its own words as well.
      const told = found.filter(({ reason }) => reason !== 'FieldValueDuplicate');
      expect(told.map(({ message: text }) => text)).toEqual([expect.stringContaining(message)]);
      // The server points at fields, not at entries of lists.
      expect(one.path.startsWith(told[0]!.field)).toBe(true);
      expect(one.path.slice(told[0]!.field.length)).toMatch(/^(\[\d+\]\S*)?$/);
    },
  );

  test.each(ruleCases)('$rule lets the nearest right thing pass', async ({ allows }) => {
    expect(await causes(allows)).toEqual([]);
  });
});
