import { spawn } from 'node:child_process';

/**
 * Runs somebody else's command and ends it when the process that asked for it is gone, even by `kill -9`: our own
 * processes see that by themselves, a stranger's command would be left behind with its port.
 */
const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error('no command');
const child = spawn(command, args, { stdio: 'inherit' });
const stop = (): void => void child.kill('SIGTERM');
process.once('disconnect', () => {
  stop();
  setTimeout(() => child.kill('SIGKILL'), 3_000).unref();
});
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
child.once('error', (error) => {
  process.stderr.write(`${command} could not be started: ${error.message}\n`);
  process.exit(127);
});
child.once('exit', (code) => process.exit(code ?? 1));
