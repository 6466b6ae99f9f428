import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { packCluster, syncFolder, unpackCluster } from './cluster-template.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'capstan-template-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a cluster comes out of its template as it went in, closed to everybody else, and empty folders are there again', async () => {
  const [data, template, again] = ['data', 'template', 'again'].map((name) => path.join(folder, name));
  await mkdir(data!, { mode: 0o700 });
  await mkdir(path.join(data!, 'base/1'), { recursive: true, mode: 0o700 });
  await mkdir(path.join(data!, 'pg_notify'));
  await writeFile(path.join(data!, 'PG_VERSION'), '18\n');
  await writeFile(path.join(data!, 'base/1/1259'), Buffer.alloc(8_192, 7));

  await packCluster(data!, template!);
  await unpackCluster(template!, again!);
  await syncFolder(again!);

  expect((await readdir(again!, { recursive: true })).toSorted()).toEqual(
    (await readdir(data!, { recursive: true })).toSorted(),
  );
  expect(await readFile(path.join(again!, 'base/1/1259'))).toEqual(Buffer.alloc(8_192, 7));
  expect((await stat(again!)).mode & 0o777).toBe(0o700);
  expect((await stat(path.join(again!, 'PG_VERSION'))).mode & 0o777).toBe(0o600);
  const packed = await stat(path.join(template!, 'base/1/1259.gz'));
  expect(packed.size).toBeLessThan(100);
  expect((await stat(path.join(template!, 'base/1'))).mode & 0o005).toBe(0o005);
  expect(packed.mode & 0o004).toBe(0o004);
});

test('a template is not written over what is there', async () => {
  const data = path.join(folder, 'data');
  await mkdir(data);
  await expect(unpackCluster(path.join(folder, 'template'), data)).rejects.toThrow('EEXIST');
});
