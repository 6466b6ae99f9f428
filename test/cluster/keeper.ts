import { keepControlPlane } from './keep.ts';

/**
 * A process of its own for a control plane, so that it outlives the test worker that asked for it and ends with the
 * run, even a killed one. `node keeper.ts FOLDER PID BINARIES`; PID is the process whose end is waited for.
 */
const [folder, pid, binaries] = process.argv.slice(2);
if (folder === undefined || pid === undefined || binaries === undefined)
  throw new Error('usage: node keeper.ts FOLDER PID BINARIES');
await keepControlPlane({ folder, binaries, whilePid: Number(pid) });
