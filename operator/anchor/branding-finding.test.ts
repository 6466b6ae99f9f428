import { describe, expect, test } from '@jest/globals';
import type { AnchorStatus } from '../../core/status/document.ts';
import { bent, contextOf, find } from '../resources/testing/context.ts';
import type { BuildContext } from '../resources/context.ts';
import { brandingFinding } from './report-findings.ts';

const branded = contextOf(bent({ branding: { configMapRef: { name: 'harbor-brand' } } }));
const without = (context: BuildContext): BuildContext => ({ ...context, versions: new Map() });
const reading = (branding?: AnchorStatus['branding']): Parameters<typeof brandingFinding>[0] => ({
  atMs: 0,
  status: { version: '1', ...(branding && { branding }) } as AnchorStatus,
});

describe('the condition of a branding', () => {
  test.each([
    ['the spec names none', contextOf(), undefined, 'True', 'BuiltIn'],
    [
      'a folder is named, for capstan dev',
      contextOf(bent({ branding: { folder: './brand' } })),
      undefined,
      'True',
      'BuiltIn',
    ],
    ['its ConfigMap is missing', without(branded), reading({ problems: [] }), 'False', 'ConfigMapMissing'],
    ['the server has not told yet', branded, undefined, 'Unknown', 'NotReported'],
    ['a server of before tells nothing of it', branded, reading(), 'Unknown', 'NotReported'],
    ['it is worn', branded, reading({ problems: [] }), 'True', 'Applied'],
    ['a file is broken', branded, reading({ problems: ['status.liquid:7: x'] }), 'False', 'FilesRefused'],
  ] as const)('when %s', (_, context, told, status, reason) => {
    expect(brandingFinding(told, context)).toMatchObject({ status, reason });
  });

  test('names the files, the first of many', () => {
    const problems = ['a.css:1: one', 'b.css:2: two', 'c.css: three', 'd.css: four'];
    expect(brandingFinding(reading({ problems }), branded).message).toMatch(
      /in its place: a\.css:1: one; b\.css:2: two; c\.css: three; and 1 more\.$/,
    );
  });
});

test('the server mounts the ConfigMap read-only and does not wait for it; nothing else sees it', () => {
  const { template } = find(branded, 'Deployment', 'harbor-server').spec;
  expect(template.spec.volumes).toContainEqual({
    name: 'branding',
    configMap: { name: 'harbor-brand', optional: true, defaultMode: 0o440 },
  });
  const [container] = template.spec.containers;
  expect(container.args).toEqual(['server', '--branding', '/etc/capstan/branding']);
  expect(container.volumeMounts).toContainEqual({
    name: 'branding',
    mountPath: '/etc/capstan/branding',
    readOnly: true,
  });
  expect(JSON.stringify(find(branded, 'Deployment', 'harbor-watch-transactions'))).not.toContain(
    'harbor-brand',
  );
  expect(JSON.stringify(find(contextOf(), 'Deployment', 'harbor-server'))).not.toContain('branding');
});
