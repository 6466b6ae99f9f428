import { generateKeyPairSync, sign, verify } from 'node:crypto';
import type { Row } from './report.ts';

const ROUNDS = 5;
const OF_EACH = 2_000;

/** What Ed25519 costs a core of this machine now, beside which the figures of SEP-10 can be read. */
export function machineRates(): readonly Row[] {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const message = Buffer.alloc(32, 7);
  const signature = sign(null, message, privateKey);
  return [
    rate('Ed25519 signatures, this machine', () => sign(null, message, privateKey)),
    rate('Ed25519 verifications, this machine', () => verify(null, message, publicKey, signature)),
  ];
}

/** Of the best round: what disturbs it only ever slows it down. */
function rate(name: string, work: () => unknown): Row {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    for (let count = 0; count < OF_EACH; count++) work();
    const { user, system } = process.cpuUsage(before);
    return OF_EACH / ((user + system) / 1e6);
  });
  return { name, value: Math.max(...rounds), unit: '/CPU-s' };
}
