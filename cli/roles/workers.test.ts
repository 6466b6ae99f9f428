import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { systemClock } from '../../core/runtime/clock.ts';
import { loadAnchorConfig } from '../../core/runtime/config.ts';
import { testAnchor, yamlOf } from '../../core/spec/test-manifest.ts';
import { eventually } from '../../test/support/eventually.ts';
import { testLog } from '../../test/support/payments.ts';
import { followSuspensions } from './workers.ts';

test('what a changed file suspends counts within moments; a broken file changes nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'capstan-'));
  const file = join(directory, 'anchor.yaml');
  const ending = new AbortController();
  const manifest = testAnchor();
  const stopped = { ...manifest, spec: { ...manifest.spec, payments: { suspended: true } } };
  const write = async (yaml: string): Promise<void> => {
    await writeFile(`${file}.new`, yaml);
    await rename(`${file}.new`, file);
  };
  try {
    await write(yamlOf(manifest));
    const source = { file, secretsDir: directory, log: testLog };
    const config = await loadAnchorConfig(source);
    const [asset] = config.anchor.assets;
    const view = await followSuspensions(config, source, systemClock, ending.signal);
    expect([view.isSuspended(), view.isSuspended(asset!.id)]).toEqual([false, false]);
    await write(yamlOf(stopped));
    await eventually('the file is heard', () => view.isSuspended(), 5_000);
    expect(view.isSuspended(asset!.id)).toBe(true);
    await write('kind: nothing');
    await systemClock.sleep(500);
    expect(view.isSuspended()).toBe(true);
    await write(yamlOf(manifest));
    await eventually('the file is heard', () => !view.isSuspended(), 5_000);
  } finally {
    ending.abort();
    await rm(directory, { recursive: true });
  }
});
