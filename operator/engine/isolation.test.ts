import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { isolateStrayErrors, runIsolated } from './isolation.ts';

// Jest has listeners of its own for errors that nobody caught: these run in a process of theirs.
const run = async (body: string): Promise<string> => {
  const script = `
    import { isolateStrayErrors, runIsolated } from ${JSON.stringify(path.join(import.meta.dirname, 'isolation.ts'))};
    const say = (...words) => console.log(...words);
    const host = isolateStrayErrors(process);
    const listener = (thrown) => { say('the process:', thrown.message); };
    for (const event of ['unhandledRejection', 'uncaughtException']) host.on(event, listener);
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    ${body}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 20_000,
  });
  return stdout;
};

test('what isolated work leaves behind is its owner’s, all else is the process’s', async () => {
  const said = await run(`
    await runIsolated((thrown) => say('owner a:', thrown.message), async () => {
      void wait(5).then(() => { throw new Error('rejected later'); });
    });
    await runIsolated((thrown) => say('owner b:', thrown.message), async () => {
      setTimeout(() => { throw new Error('thrown in a timer'); }, 20);
    });
    setTimeout(() => { void Promise.reject(new Error('nobody’s')); }, 40);
    await wait(60);`);
  expect(said.trim().split('\n')).toEqual([
    'owner a: rejected later',
    'owner b: thrown in a timer',
    'the process: nobody’s',
  ]);
});

test('a listener that was taken off hears no more', async () => {
  const said = await run(`
    host.off('unhandledRejection', listener);
    process.on('unhandledRejection', (thrown) => say('default:', thrown.message));
    void Promise.reject(new Error('x'));
    await wait(5);`);
  expect(said.trim()).toBe('default: x');
});

test('signals reach the process from anywhere, and its exit is its own', async () => {
  const exits: number[] = [];
  const emitter = new EventEmitter();
  const host = isolateStrayErrors(Object.assign(emitter, { exit: (code: number) => void exits.push(code) }));
  const heard: unknown[] = [];
  const listener = (signal: unknown): void => void heard.push(signal);
  host.on('SIGTERM', listener);
  await runIsolated(
    () => heard.push('reported'),
    async () => emitter.emit('SIGTERM', 'SIGTERM'),
  );
  host.off('SIGTERM', listener);
  emitter.emit('SIGTERM', 'again');
  host.exit(3);
  expect([heard, exits]).toEqual([['SIGTERM'], [3]]);
});
