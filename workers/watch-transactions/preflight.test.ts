import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { readReports } from '../../core/database/repositories/control.ts';
import { startIntegration, type TestIntegration } from '../../test/support/integration.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { reportPreflight } from './preflight.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let bank: TestIntegration;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  bank = await startIntegration({ 'deposits/poll': () => ({ results: [] }) });
  world = await openWorld(ledger);
});
afterEach(async () => {
  ledger.behave();
  await bank.close();
  await world.close();
});
afterAll(() => ledger.close());

const reported = async (): Promise<unknown> =>
  (await readReports(world.db.database)).find(({ name }) => name === 'preflight')?.body;

test('what the ledger and the integration say is written down; an integration that is away is told, not waited for', async () => {
  await reportPreflight({ ...world.context, integration: bank.client });
  expect(await reported()).toMatchObject({
    assets: [
      {
        id: world.asset.id,
        account: world.distribution.publicKey(),
        exists: true,
        hasTrustline: true,
        isAuthorized: true,
        problems: [{ code: 'home_domain_mismatch' }],
      },
    ],
    integration: { name: 'test bank', missing: ['withdrawals/process'] },
  });
  const away = { declaration: () => Promise.reject(new Error('connection refused')) };
  await reportPreflight({ ...world.context, integration: away });
  expect(await reported()).toMatchObject({ integration: { error: 'connection refused' } });
});

test('while the ledger cannot be read nothing is written: what was known grows old', async () => {
  await reportPreflight({ ...world.context, integration: bank.client });
  const before = await reported();
  const horizon = ledger.client({ urls: ['http://127.0.0.1:1'], deadlineMs: 300 });
  await expect(reportPreflight({ ...world.context, horizon, integration: bank.client })).rejects.toThrow(
    Error,
  );
  expect(await reported()).toEqual(before);
});
