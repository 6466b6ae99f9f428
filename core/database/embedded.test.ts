import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import pg from 'pg';
import { eventually } from '../../test/support/eventually.ts';
import { freePort } from '../runtime/free-port.ts';
import { startEmbeddedDatabase } from './embedded.ts';

async function query(url: string, text: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as readonly unknown[];
  } finally {
    await client.end();
  }
}

/** A folder below one that may be closed to everybody else, as root's home is. */
async function newFolder(mode: number): Promise<{ folder: string; remove: () => Promise<void> }> {
  const parent = await mkdtemp(path.join(tmpdir(), 'capstan-embedded-'));
  await chmod(parent, mode);
  const folder = path.join(parent, 'database');
  await mkdir(folder);
  return {
    folder,
    remove: async () => {
      const elsewhere = await readFile(path.join(folder, 'DATA_IS_IN'), 'utf8').catch(() => undefined);
      if (elsewhere) await rm(elsewhere.trim(), { recursive: true, force: true });
      await rm(parent, { recursive: true, force: true });
    },
  };
}

test.each([
  ['open to others', 0o755],
  ['closed to others', 0o700],
])(
  'what is kept below a folder %s is there again, and gone when the folder is deleted',
  async (_, mode) => {
    const { folder, remove } = await newFolder(mode);
    try {
      const first = await startEmbeddedDatabase({ folder });
      await query(first.url, 'create table kept (id int)');
      await first.stop();
      const second = await startEmbeddedDatabase({ folder });
      expect(await query(second.url, 'select id from kept')).toEqual([]);
      await second.stop();
      await rm(folder, { recursive: true });
      const third = await startEmbeddedDatabase({ folder });
      await expect(query(third.url, 'select id from kept')).rejects.toThrow('does not exist');
      await third.stop();
    } finally {
      await remove();
    }
  },
  60_000,
);

test('with a password it serves other machines, and only who knows the password', async () => {
  const { folder, remove } = await newFolder(0o755);
  try {
    const listen = { addresses: '127.0.0.1', port: await freePort(), password: 'only-for-this-test' };
    const { url, stop } = await startEmbeddedDatabase({ folder, listen });
    const rules = await query(
      url,
      "select address, auth_method from pg_hba_file_rules where type = 'host' and address = 'all'",
    );
    expect(rules).toEqual([{ address: 'all', auth_method: 'scram-sha-256' }]);
    expect(new URL(url)).toMatchObject({ port: String(listen.port), password: listen.password });
    await expect(query(url.replace(listen.password, 'guessed'), 'select 1')).rejects.toThrow(
      'password authentication failed',
    );
    await stop();
    const again = await startEmbeddedDatabase({ folder, listen });
    expect(
      await query(again.url, "select count(*)::int from pg_hba_file_rules where address = 'all'"),
    ).toEqual([{ count: 1 }]);
    await again.stop();
  } finally {
    await remove();
  }
}, 60_000);

test('starts although the server before it was killed and its parent has not taken note of that yet', async () => {
  const { folder, remove } = await newFolder(0o755);
  try {
    const first = await startEmbeddedDatabase({ folder });
    const pidFile = path.join(folder, 'data/postmaster.pid');
    const lines = (await readFile(pidFile, 'utf8')).split('\n');
    await first.stop();
    const { uid, gid } = await stat(path.join(folder, 'data'));
    // Its child ends when it has become a program that never asks, and stays a zombie until that is killed.
    const parent = spawn('sh', ['-c', 'sleep 0.5 & echo $!; exec sleep 60'], { uid, gid });
    const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
    await eventually('it is a zombie', async () => {
      return (await readFile(`/proc/${String(pid).trim()}/cmdline`, 'utf8')) === '';
    });
    setTimeout(() => parent.kill(), 1_000);
    await writeFile(pidFile, [String(pid).trim(), ...lines.slice(1)].join('\n'), { mode: 0o600 });
    await chown(pidFile, uid, gid);
    const second = await startEmbeddedDatabase({ folder });
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await second.stop();
  } finally {
    await remove();
  }
}, 60_000);

test('a server that ends by itself is told, with why; one that is stopped is not', async () => {
  const { folder, remove } = await newFolder(0o755);
  try {
    const first = await startEmbeddedDatabase({ folder });
    const [pid] = (await readFile(path.join(folder, 'data/postmaster.pid'), 'utf8')).split('\n');
    process.kill(Number(pid), 'SIGKILL');
    expect(await first.ended).toMatchObject({
      code: 'embedded_database_ended',
      message: expect.stringContaining('ended by itself'),
    });
    await first.stop();
    const second = await startEmbeddedDatabase({ folder });
    let isTold = false;
    void second.ended.then(() => (isTold = true));
    await second.stop();
    expect(isTold).toBe(false);
  } finally {
    await remove();
  }
}, 60_000);

test('a start that fails tells the error that ended it, not the last line of the log', async () => {
  const { folder, remove } = await newFolder(0o755);
  try {
    const { stop } = await startEmbeddedDatabase({ folder });
    await stop();
    await rm(path.join(folder, 'data/pg_wal'), { recursive: true });
    await expect(startEmbeddedDatabase({ folder })).rejects.toThrow(
      /did not start: .*"pg_wal" does not exist/,
    );
  } finally {
    await remove();
  }
}, 60_000);

test('takes another port when somebody was quicker with the one that it had found', async () => {
  const { folder, remove } = await newFolder(0o755);
  const quicker = createServer().listen(0, '127.0.0.1');
  await once(quicker, 'listening');
  const { port } = quicker.address() as AddressInfo;
  const found = [port, await freePort()];
  try {
    const { url, stop } = await startEmbeddedDatabase({ folder, findPort: async () => found.shift() ?? 0 });
    expect(found).toEqual([]);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await stop();
    const always = startEmbeddedDatabase({ folder, findPort: async () => port });
    await expect(always).rejects.toThrow('could not create any TCP/IP sockets');
  } finally {
    quicker.close();
    await remove();
  }
}, 60_000);
