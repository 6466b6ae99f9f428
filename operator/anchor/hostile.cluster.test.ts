/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { sharedControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { installCrd } from '../../test/cluster/install.ts';
import { Harbour, simpleAnchor } from './testing/harness.ts';

// Specs that are right by themselves and too much for an object that they become.

let cluster: ControlPlane;
let harbour: Harbour;
beforeAll(async () => {
  cluster = await sharedControlPlane();
  await installCrd(cluster);
}, 900_000);
beforeEach(async () => void (harbour = await Harbour.open(cluster, 'hostile')));
afterEach(async () => harbour.close(), 60_000);

const LIMIT_MS = 240_000;
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

test(
  'what the API server takes of the Anchor but not of its children is told, harms nothing else and is put right',
  async () => {
    await harbour.operate();
    await harbour.apply(await simpleAnchor(harbour, 'neighbour'));
    const manifest = await simpleAnchor(harbour, 'harbor');
    // Each annotation may be there; together they are more than an object may have.
    const most = Object.fromEntries(many(64, (index) => [`example.com/n${index}`, 'x'.repeat(4_096)]));
    manifest.spec.expose = { ingress: { annotations: { ...most } } };
    await harbour.apply(manifest);
    const { message } = await harbour.condition('harbor', 'Accepted', 'ApplyRefused');
    expect(message).toContain('Ingress');
    await harbour.condition('harbor', 'ServerReady', 'Available');
    await harbour.condition('neighbour', 'ServerReady', 'Available');
    const refused = await harbour.quiet();
    await new Promise((resolve) => void setTimeout(resolve, 4_000));
    // It is tried again once a minute.
    expect((await harbour.writes()).slice(refused).length).toBeLessThanOrEqual(1);
    delete manifest.spec.expose.ingress.annotations['example.com/n0'];
    delete manifest.spec.expose.ingress.annotations['example.com/n1'];
    await harbour.apply(manifest);
    await harbour.condition('harbor', 'Accepted', 'Valid');
    expect(await harbour.get('Ingress', 'harbor-server')).toBeDefined();
  },
  LIMIT_MS,
);
