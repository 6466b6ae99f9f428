import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ClusterBinariesMissing, clusterBinaries } from './binaries.ts';
import { withLock } from './lock.ts';

const { PATH, KUBEBUILDER_ASSETS, XDG_CACHE_HOME } = process.env;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'capstan-binaries-'));
  delete process.env['KUBEBUILDER_ASSETS'];
});
afterEach(() => {
  for (const [name, value] of Object.entries({ PATH, KUBEBUILDER_ASSETS, XDG_CACHE_HOME })) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true, force: true });
});

async function failure(): Promise<string> {
  return clusterBinaries(() => {}).then(
    () => 'it did not fail',
    (error: unknown) => (error instanceof ClusterBinariesMissing ? error.message : String(error)),
  );
}

describe('the programs of the test cluster', () => {
  test('are taken from KUBEBUILDER_ASSETS if it has all of them, and else it is said which are missing', async () => {
    process.env['KUBEBUILDER_ASSETS'] = folder;
    for (const name of ['etcd', 'kube-apiserver', 'kubectl']) writeFileSync(path.join(folder, name), '');
    expect(await failure()).toBe(
      `KUBEBUILDER_ASSETS is ${folder}, which lacks kube-controller-manager, kube-scheduler, kwok, helm: add them, or unset the variable to have all built.`,
    );
    for (const name of ['kube-controller-manager', 'kube-scheduler', 'kwok', 'helm'])
      writeFileSync(path.join(folder, name), '');
    expect(await clusterBinaries(() => {})).toBe(folder);
  });

  test('without Go, one is told what to do, and no lock is left', async () => {
    process.env['XDG_CACHE_HOME'] = folder;
    const bin = path.join(folder, 'bin');
    rmSync(bin, { recursive: true, force: true });
    process.env['PATH'] = bin;
    const message = await failure();
    expect(message).toContain('Go 1.26 or newer and its module proxy are needed once');
    expect(message).toContain('or set KUBEBUILDER_ASSETS');
    const file = /said is in (\S+\.log);/.exec(message)?.[1];
    expect(existsSync(file!.replace('.log', '.lock'))).toBe(false);
  });

  test('a build that fails is told with the last that Go said', async () => {
    process.env['XDG_CACHE_HOME'] = folder;
    const bin = path.join(folder, 'bin');
    const go = path.join(folder, 'go');
    // `nice` is Debian's; "go" ends at once with a sentence of its own.
    writeFileSync(go, '#!/bin/sh\necho "no required module provides it" >&2\nexit 3\n', { mode: 0o755 });
    symlinkSync('/usr/bin', bin);
    process.env['PATH'] = `${folder}:${bin}`;
    expect(await failure()).toMatch(
      /^The test cluster could not be built \(go build ended with 3\): .*\n {2}no required module provides it$/s,
    );
  });
});

describe('the lock of the build', () => {
  test('lets one work at a time', async () => {
    const file = path.join(folder, 'lock');
    const order: string[] = [];
    let [enter, release] = [(): void => {}, (): void => {}];
    const entered = new Promise<void>((resolve) => (enter = resolve));
    const held = new Promise<void>((resolve) => (release = resolve));
    const first = withLock(file, fail, async () => {
      enter();
      await held;
      order.push('first out');
    });
    await entered;
    let tell = (): void => {};
    const told = new Promise<void>((resolve) => (tell = resolve));
    const second = withLock(file, tell, () => Promise.resolve(order.push('second in')));
    await told;
    release();
    await first;
    await second;
    expect(order).toEqual(['first out', 'second in']);
  });

  test('of a process that is gone is taken over', async () => {
    const file = path.join(folder, 'lock');
    writeFileSync(file, '999999999');
    expect(await withLock(file, fail, () => Promise.resolve('done'))).toBe('done');
    expect(existsSync(file)).toBe(false);
  });
});

function fail(): never {
  throw new Error('it waited for a process that is gone');
}
