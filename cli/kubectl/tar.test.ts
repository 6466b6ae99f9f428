import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { tarGz } from './tar.ts';

test('tar unpacks what was packed: empty, long, not only ASCII, below long folders', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'capstan-tar-'));
  const deep = `${'a'.repeat(70)}/${'b'.repeat(70)}/${'c'.repeat(90)}.log`;
  const files = [
    { path: 'empty.txt', text: '' },
    { path: 'whole-block.txt', text: 'x'.repeat(512) },
    { path: deep, text: 'größer → 日本\n'.repeat(100) },
  ];
  try {
    writeFileSync(path.join(folder, 'a.tar.gz'), tarGz(files, Date.parse('2026-01-02T03:04:05Z')));
    execFileSync('tar', ['-xzf', 'a.tar.gz'], { cwd: folder });
    for (const file of files) expect(readFileSync(path.join(folder, file.path), 'utf8')).toBe(file.text);
    const { mode, mtime } = statSync(path.join(folder, 'empty.txt'));
    expect([(mode & 0o777).toString(8), mtime.toISOString()]).toEqual(['600', '2026-01-02T03:04:05.000Z']);
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(() => tarGz([{ path: 'n'.repeat(101), text: '' }], 0)).toThrow('too long');
});
