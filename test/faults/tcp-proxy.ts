import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands before whoever listens on one of its targets; connections through it can be cut at any moment. */
export interface TcpProxy {
  readonly port: number;
  /** Ports of this machine, tried in turn; none: connections are refused. */
  setTargets(ports: readonly number[]): void;
  /** How many connections there are. */
  readonly size: number;
  /** Breaks every connection that there is, and tells how many those were. */
  cut(): number;
  /** Refuses new connections while it is true. */
  refuse(isRefusing: boolean): void;
  close(): Promise<void>;
}

export async function startTcpProxy(): Promise<TcpProxy> {
  let targets: readonly number[] = [];
  let isRefusing = false;
  let turn = 0;
  const open = new Set<Socket>();
  const server = createServer((incoming) => {
    open.add(incoming);
    incoming.on('error', () => incoming.destroy());
    incoming.on('close', () => open.delete(incoming));
    turn += 1;
    const order = [...targets.slice(turn % Math.max(1, targets.length)), ...targets].slice(0, targets.length);
    if (isRefusing) incoming.destroy();
    else join(incoming, order);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cut = (): number => {
    const { size } = open;
    for (const socket of open) socket.destroy();
    return size;
  };
  return {
    port,
    setTargets: (ports) => {
      targets = ports;
    },
    get size() {
      return open.size;
    },
    cut,
    refuse: (next) => {
      isRefusing = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

/** Joins a connection to the first of these ports that takes it. */
function join(incoming: Socket, [port, ...others]: readonly number[]): void {
  if (port === undefined) return void incoming.destroy();
  const outgoing = connect({ port, host: '127.0.0.1' });
  const next = (): void => join(incoming, others);
  outgoing.once('error', next);
  outgoing.once('connect', () => {
    outgoing.off('error', next);
    outgoing.on('error', () => incoming.destroy());
    outgoing.on('close', () => incoming.destroy());
    incoming.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
    outgoing.pipe(incoming);
  });
}
