import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * What it costs on this machine that a Node process wakes once a second and does nothing: a process that has slept finds its memory
 * cold, and how cold differs between machines and moments by ten times. CPU at rest is to be read beside it.
 */
export interface IdleProcess {
  /** Since it began, its start included. */
  cpuSeconds(): Promise<number>;
  stop(): void;
}

const ITSELF = fileURLToPath(import.meta.url);
const WAKES_EVERY_MS = 1_000;
const US_PER_S = 1e6;

export function startIdleProcess(): IdleProcess {
  const child = fork(ITSELF);
  return {
    async cpuSeconds() {
      child.send('cpu');
      const [microseconds] = (await once(child, 'message')) as [number];
      return microseconds / US_PER_S;
    },
    stop: () => void child.kill(),
  };
}

if (process.argv[1] === ITSELF) {
  setInterval(() => {}, WAKES_EVERY_MS);
  process.once('disconnect', () => process.exit());
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.(user + system);
  });
}
