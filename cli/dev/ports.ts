import { createServer } from 'node:net';
import { freePort } from '../../core/runtime/free-port.ts';

/** Whether this user may listen on the port and nobody does. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '::' }, () => server.close(() => resolve(true)));
  });
}

/** The first of these that is free, else any that is. */
export async function firstFree(ports: readonly number[]): Promise<number> {
  for (const port of ports) if (await isFree(port)) return port;
  return freePort();
}
