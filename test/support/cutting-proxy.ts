import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before an HTTP server and can break connections after the server has answered: the answer is lost, the effect is not. */
export interface CuttingProxy {
  readonly url: string;
  /** How many answers were cut so far. */
  readonly cut: number;
  /** Cuts the answers to requests of this method; undefined ends it. */
  cutAnswers(method: string | undefined): void;
  close(): Promise<void>;
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  let method: string | undefined;
  let cut = 0;
  const server = createServer((incoming, outgoing) => {
    const { headers, url = '/' } = incoming;
    const forwarded = httpRequest(new URL(url, target), { method: incoming.method, headers }, (answer) => {
      if (incoming.method === method) {
        cut += 1;
        answer.resume();
        incoming.socket.destroy();
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => incoming.socket.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get cut() {
      return cut;
    },
    cutAnswers: (next) => {
      method = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
