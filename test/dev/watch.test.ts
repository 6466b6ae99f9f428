import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, fetch } from 'undici';
import { describe, expect, test } from '@jest/globals';
import { newDataFolder, startAnchor } from '../support/anchor-process.ts';

const DEMO = fileURLToPath(new URL('../../examples/anchors/demo.yaml', import.meta.url));

describe('capstan dev --watch', () => {
  test('takes a changed manifest over, and keeps what runs when the change is wrong', async () => {
    const { folder, remove } = newDataFolder();
    const manifest = path.join(folder, 'anchor.yaml');
    const demo = readFileSync(DEMO, 'utf8');
    writeFileSync(manifest, demo);
    const anchor = await startAnchor({ data: folder, manifest, flags: ['--port', '0', '--watch'] });
    const dispatcher = new Agent({ connect: { ca: readFileSync(anchor.ready.ca) } });
    const largestDeposit = async (): Promise<unknown> => {
      const answer = await fetch(`${anchor.ready.url}/sep24/info`, { dispatcher }).catch(() => undefined);
      if (!answer?.ok) return undefined;
      const info = (await answer.json()) as { deposit: { SRT: { max_amount: number } } };
      return info.deposit.SRT.max_amount;
    };
    const becomes = async (max: number): Promise<boolean> => {
      for (let attempt = 0; attempt < 150; attempt++) {
        if ((await largestDeposit()) === max) return true;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      return false;
    };
    expect(await becomes(10_000)).toBe(true);
    writeFileSync(
      manifest,
      demo.replace("deposit: { min: '1', max: '10000'", "deposit: { min: '1', max: '500'"),
    );
    expect(await becomes(500)).toBe(true);
    writeFileSync(manifest, demo.replace("deposit: { min: '1'", "deposit: { min: 'one'"));
    for (let attempt = 0; attempt < 100 && !anchor.output().includes('not taken over'); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(anchor.output()).toContain('not taken over');
    expect(anchor.output()).toContain('spec.assets[0].deposit.min');
    expect(await largestDeposit()).toBe(500);
    await dispatcher.close();
    await anchor.end('SIGTERM');
    await remove();
  }, 120_000);
});
