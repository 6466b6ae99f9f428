import { createServer } from 'node:net';

/** A port that nobody else can take until it is released, just before the one who is to have it binds it. */
export interface ReservedPort {
  readonly port: number;
  readonly release: () => Promise<void>;
}

const NO_IPV6: ReadonlySet<string | undefined> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);

/** Holds the first of these ports that this user may have and nobody has, else any. 0 means any. */
export async function reservePort(wanted: readonly number[]): Promise<ReservedPort> {
  for (const port of wanted) {
    const reserved = await tryReserve(port);
    if (reserved) return reserved;
  }
  const any = await tryReserve(0);
  if (!any) throw new Error('this machine has no free port');
  return any;
}

async function tryReserve(port: number): Promise<ReservedPort | undefined> {
  const all = await hold(port, '::');
  return typeof all === 'string' && NO_IPV6.has(all)
    ? asReserved(await hold(port, '127.0.0.1'))
    : asReserved(all);
}

const asReserved = (held: ReservedPort | string): ReservedPort | undefined =>
  typeof held === 'string' ? undefined : held;

/** Answers the error's code when the port cannot be had. */
function hold(port: number, host: string): Promise<ReservedPort | string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address ? address.port : port;
      resolve({ port: bound, release: () => new Promise((closed) => void server.close(() => closed())) });
    });
    server.unref();
  });
}
