/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { describe, expect, test } from '@jest/globals';
import { LATEST_MIGRATION } from '../../core/database/migrations/names.ts';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { idOf } from './kubernetes.ts';
import { migrationJobName, schemaNumber, SUFFIX } from './names.ts';
import { generatedSecrets } from './secrets.ts';
import { bent, childrenOf, contextOf } from './testing/context.ts';
import { forManyAnchors } from './testing/arbitrary.ts';

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const random = (count: number): Uint8Array => new Uint8Array(count);

describe('the children of any Anchor', () => {
  test('have names that Kubernetes takes, and no two the same', () => {
    forManyAnchors((context, manifest) => {
      const objects = [
        ...childrenOf(context).map(({ object }) => object),
        ...generatedSecrets(context).map(({ create }) => create(random)),
      ];
      for (const { kind, metadata } of objects) {
        expect(metadata.name).toMatch(LABEL);
        expect(metadata.name.length).toBeLessThanOrEqual(kind === 'CronJob' ? 52 : 63);
        expect(metadata.name.startsWith(`${manifest.metadata.name}-`)).toBe(true);
        expect(metadata.namespace).toBe(manifest.metadata.namespace);
      }
      expect(new Set(objects.map(idOf)).size).toBe(objects.length);
    });
  });

  test('carry labels that Kubernetes takes, and their owner', () => {
    forManyAnchors((context, manifest) => {
      const platform = { ...context.platform, version: '1.2.3-rc.1+build/7' };
      for (const { object } of childrenOf({ ...context, platform })) {
        const { labels, ownerReferences } = object.metadata;
        for (const value of Object.values(labels)) expect(value).toMatch(/^([\w]([-\w.]{0,61}\w)?)?$/);
        expect(labels).toMatchObject({
          'app.kubernetes.io/instance': manifest.metadata.name,
          'app.kubernetes.io/managed-by': 'capstan-operator',
          'capstan.dev/anchor': manifest.metadata.name,
        });
        expect(ownerReferences).toMatchObject([{ kind: 'Anchor', uid: context.uid, controller: true }]);
      }
    });
  });

  test('hold nothing that JSON drops or changes', () => {
    forManyAnchors((context) => {
      for (const { object } of childrenOf(context))
        expect(JSON.parse(JSON.stringify(object))).toStrictEqual(object);
    });
  });

  test('hold no empty list: storage drops it, so that each apply of it would be a change', () => {
    forManyAnchors((context) => {
      for (const { object } of childrenOf(context)) expect(JSON.stringify(object)).not.toContain('[]');
    });
  });
});

test('of two Anchors none has a child of the other, however their names begin', () => {
  // A name is a sum: two Anchors meet only where one suffix is the end of another one.
  const suffixes = Object.values(SUFFIX);
  const meeting = suffixes.flatMap((one) =>
    suffixes.filter((other) => other !== one && other.endsWith(one)).map((other) => [one, other]),
  );
  expect(meeting).toEqual([]);
  const ids = (name: string): readonly string[] =>
    childrenOf(contextOf(bent({}, name))).map(({ object }) => idOf(object));
  const [short, long] = [ids('harbor'), ids('harbor-server')];
  expect(short.filter((id) => long.includes(id))).toEqual([]);
});

test('the migration Job is named by the schema that it arrives at', () => {
  expect(migrationJobName('harbor', 'Migration0007Late')).toBe('harbor-migrate-0007');
  expect(schemaNumber(LATEST_MIGRATION)).toMatch(/^\d{4}$/);
  expect(() => schemaNumber('Something')).toThrow('no name of a migration');
});

test('what is generated is random, and what the spec names itself is not made', () => {
  const bytes = (count: number): Uint8Array => new Uint8Array(count).fill(7);
  const made = generatedSecrets(contextOf(bent({ database: { embedded: {} } })));
  expect(made.map(({ name }) => name)).toEqual(['harbor-session', 'harbor-hmac', 'harbor-database']);
  const values = made.map(({ create }) => (create(bytes) as Loose).stringData);
  expect(values[0].session).toHaveLength(64);
  expect(values[1].key).toMatch(/^whsec_[\w+/=]{44}$/);
  expect(values[2].url).toBe(
    `postgresql://capstan:${values[2].password}@harbor-database.harbor.svc:5432/capstan`,
  );
  expect(made.map(({ create }) => create(bytes).metadata.ownerReferences?.length ?? 0)).toEqual([1, 1, 0]);
  const given = bent({
    sessionKey: { secretRef: { name: 'mine', key: 'session' } },
    integration: { url: 'https://bank.example', key: { secretRef: { name: 'mine', key: 'hmac' } } },
  });
  expect(generatedSecrets(contextOf(given))).toEqual([]);
});
