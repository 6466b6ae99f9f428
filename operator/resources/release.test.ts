import { describe, expect, test } from '@jest/globals';
import { IMMUTABLE_ANNOTATION } from './build.ts';
import type { Platform } from './context.ts';
import { restartReasons } from './database.ts';
import { hashOf } from './hash.ts';
import type { KubernetesObject, PodTemplate } from './kubernetes.ts';
import { bent, contextOf, find, podsOf } from './testing/context.ts';

const embedded = bent({ database: { embedded: {} } });
const NEXT: Partial<Platform> = { image: 'capstan:2.0.0', version: '2.0.0', schema: 'Migration9999Later' };

describe('a new release of Capstan', () => {
  test('starts its own processes anew, and neither the business’s nor the database', () => {
    const templates = (platform: Partial<Platform>): Record<string, string> =>
      Object.fromEntries(
        podsOf(contextOf(embedded, { platform })).map(({ owner, template }) => [
          `${owner.kind}/${owner.metadata.name}`,
          hashOf(template),
        ]),
      );
    const [before, after] = [templates({}), templates(NEXT)];
    expect(Object.keys(before).filter((name) => before[name] === after[name])).toEqual([
      'Deployment/harbor-integration',
    ]);
    // Its template tells the new image, for whenever its pod is made anew; by itself that ends nothing.
    const database = find(contextOf(embedded, { platform: NEXT }), 'StatefulSet', 'harbor-database');
    expect(database.spec.updateStrategy).toEqual({ type: 'OnDelete' });
    expect(database.spec.template.spec.containers[0].image).toBe('capstan:2.0.0');
  });

  test.each<[string, Partial<Platform>, boolean]>([
    ['of the same PostgreSQL', NEXT, false],
    ['of another PostgreSQL', { ...NEXT, postgresql: '19.0.0' }, true],
  ])('%s makes the database anew: %j, %s', (_, changed, isReplaced) => {
    const hash = (platform: Partial<Platform>): unknown => {
      const context = contextOf(embedded, { platform });
      const { metadata } = find(context, 'StatefulSet', 'harbor-database') as KubernetesObject;
      return metadata.annotations?.[IMMUTABLE_ANNOTATION];
    };
    expect(hash(changed) !== hash({})).toBe(isReplaced);
  });

  test('that probes the database otherwise does not make it anew', () => {
    const template = find(contextOf(embedded), 'StatefulSet', 'harbor-database').spec.template as PodTemplate;
    const changed = (change: object): unknown => {
      const { metadata, spec } = structuredClone(template);
      Object.assign(spec!.containers[0]!, change);
      return hashOf(restartReasons({ metadata: metadata!, spec: spec! }));
    };
    const periodSeconds = 7;
    expect(changed({ livenessProbe: { periodSeconds }, startupProbe: { periodSeconds } })).toBe(changed({}));
    expect(changed({ args: ['database'] })).not.toBe(changed({}));
  });
});
