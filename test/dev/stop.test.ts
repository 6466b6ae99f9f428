import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { newDataFolder, startAnchor } from '../support/anchor-process.ts';
import { processesOf } from '../support/processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEMO = path.join(ROOT, 'examples/anchors/demo.yaml');

/** Waits until `check` holds, at most so long. */
async function eventually(check: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const until = Date.now() + timeoutMs;
  while (Date.now() < until) {
    if (await check()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return check();
}

function capstan(...args: string[]): { status: number | null; stderr: string; stdout: string } {
  return spawnSync(path.join(ROOT, 'bin/capstan'), args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
}

describe('capstan dev', () => {
  test('Ctrl-C stops everything within 5 seconds, leaves no process and no lock, and it starts again', async () => {
    const { folder, remove } = newDataFolder();
    const first = await startAnchor({ data: folder, flags: ['--port', '0'] });
    // Otherwise it would not be seen either if it were left behind.
    expect(processesOf(folder).some((line) => line.includes('examples/bank/bank.ts'))).toBe(true);
    const { code, milliseconds } = await first.end('SIGINT');
    expect(code).toBe(0);
    expect(milliseconds).toBeLessThan(5_000);
    expect(processesOf(folder)).toEqual([]);
    const second = await startAnchor({ data: folder, flags: ['--port', '0'] });
    await second.end('SIGTERM');
    await remove();
  }, 120_000);

  test('a second one on the same data folder is refused with the way out', async () => {
    const { folder, remove } = newDataFolder();
    const running = await startAnchor({ data: folder, flags: ['--port', '0'] });
    const { status, stderr } = capstan('dev', '-f', DEMO, '--data', folder, '--port', '0');
    expect(status).not.toBe(0);
    expect(stderr.trim()).toMatch(/^error \(already_running\): .*--data another folder\.$/);
    await running.end('SIGTERM');
    await remove();
  }, 120_000);

  test.each([[[]], [['--port', '0']]])(
    'two started at the same moment (%j) both run, each with a ledger and a bank of its own',
    async (flags) => {
      const places = [newDataFolder(), newDataFolder()];
      const anchors = await Promise.all(places.map(({ folder }) => startAnchor({ data: folder, flags })));
      for (const where of ['url', 'horizon', 'integration'] as const) {
        expect(new Set(anchors.map(({ ready }) => ready[where])).size).toBe(2);
      }
      for (const [index, { ready }] of anchors.entries()) {
        const keyFile = path.join(places[index]!.folder, 'demo/secrets/capstan-dev-keys/integration');
        const { stdout } = capstan('check-integration', ready.integration, '--key-file', keyFile);
        expect(stdout).toMatch(/(\d+) of \1 hold/);
      }
      await Promise.all(anchors.map((anchor) => anchor.end('SIGTERM')));
      await Promise.all(places.map(({ remove }) => remove()));
    },
    120_000,
  );

  test('after kill -9 every child ends by itself', async () => {
    const { folder, remove } = newDataFolder();
    const anchor = await startAnchor({ data: folder, flags: ['--port', '0'] });
    await anchor.end('SIGKILL');
    expect(await eventually(async () => processesOf(folder).length === 0, 10_000)).toBe(true);
    await remove();
  }, 120_000);
});

describe('bad input', () => {
  test('a wrong manifest is told line by line, with no stack and exit code 78', () => {
    const { folder } = newDataFolder();
    const file = path.join(folder, 'anchor.yaml');
    writeFileSync(
      file,
      [
        'apiVersion: capstan.dev/v1alpha1',
        'kind: Anchor',
        'metadata: { name: wrong }',
        'spec:',
        '  host: localhost',
        '  network: { name: local }',
        '  organisation: { name: Wrong }',
        '  assets:',
        "    - { code: SRT, deposit: { min: '10', max: '1' } }",
        '  integration: { command: [node, bank.ts] }',
        '  database: { embedded: {} }',
      ].join('\n'),
    );
    const { status, stderr } = capstan('dev', '-f', file, '--data', folder);
    expect(status).toBe(78);
    expect(stderr).toContain(`${file}:7: spec.organisation`);
    expect(stderr).toContain(`${file}:9: spec.assets[0].deposit`);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('an unreachable database is one line with exit code 75', async () => {
    const { folder, remove } = newDataFolder();
    const anchor = await startAnchor({ data: folder, flags: ['--port', '0'] });
    await anchor.end('SIGTERM');
    const place = path.join(folder, 'demo');
    const { status, stderr } = capstan(
      'poll-deposits',
      '--once',
      '-c',
      `${place}/anchor.yaml`,
      '--secrets',
      `${place}/secrets`,
    );
    expect(status).toBe(75);
    expect(stderr).toMatch(/^error \(database_unreachable\): PostgreSQL does not answer: .*\n$/);
    await remove();
  }, 120_000);

  test('a port that is taken is one line', async () => {
    const taken = createServer().listen(0);
    const { port } = taken.address() as AddressInfo;
    const { status, stderr } = capstan('ledger', '--port', String(port));
    taken.close();
    expect(status).not.toBe(0);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(String(port));
  });
});
