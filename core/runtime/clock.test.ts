import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

test('a time that is over already is slept at once, and Node says nothing amid the log', () => {
  const clock = new URL('clock.ts', import.meta.url).href;
  const script = `const { systemClock } = await import('${clock}'); await systemClock.sleep(-5);`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module'];
  const { status, stderr } = spawnSync(process.execPath, [...flags, '--eval', script], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
