import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';

/**
 * Preloaded into a process that is measured: when it ends it writes its CPU time, and how long it had requests of undici
 * open (to the integration or the ledger), into the file that EXIT_TIMES names.
 */
let open = 0;
let openSince = 0;
let waitedMs = 0;
const done = (): void => {
  open -= 1;
  if (open === 0) waitedMs += performance.now() - openSince;
};

subscribe('undici:request:create', () => {
  if (open === 0) openSince = performance.now();
  open += 1;
});
subscribe('undici:request:trailers', done);
subscribe('undici:request:error', done);

process.once('exit', () => {
  const { user, system } = process.cpuUsage();
  const times = { cpuSeconds: (user + system) / 1e6, waitedSeconds: waitedMs / 1000 };
  writeFileSync(process.env['EXIT_TIMES'] ?? '', JSON.stringify(times));
});
