import { openDatabase, type Database } from '../../core/database/database.ts';
import { startTcpProxy } from '../faults/tcp-proxy.ts';
import type { TestDatabase } from './database.ts';

/** A process's own way to a database, which can be away while the database goes on. */
export interface CutDatabase {
  readonly url: string;
  readonly database: Database;
  /** Breaks all connections and refuses new ones. */
  cut(): void;
  join(): void;
  close(): Promise<void>;
}

export async function openCutDatabase({ url }: TestDatabase): Promise<CutDatabase> {
  const proxy = await startTcpProxy();
  const through = new URL(url);
  proxy.setTargets([Number(through.port)]);
  through.port = String(proxy.port);
  const database = openDatabase({ url: through.href, applicationName: 'cut', poolSize: 5 });
  return {
    url: through.href,
    database,
    cut: () => {
      proxy.refuse(true);
      proxy.cut();
    },
    join: () => proxy.refuse(false),
    close: async () => {
      await database.destroy();
      await proxy.close();
    },
  };
}
