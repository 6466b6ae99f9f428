/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { expect, test } from '@jest/globals';
import { testKeys, type Loose } from '../../core/spec/test-manifest.ts';
import { eventually } from '../../test/support/eventually.ts';
import { simpleAnchor, type Harbour } from './testing/harness.ts';
import { eachHarbour, LIMIT_MS } from './testing/stage.ts';

// Specs that go to every limit at once, and words in every script: what the API server takes, the operator carries out.

let harbour: Harbour;
eachHarbour('hostile', (one) => void (harbour = one));

const NAME = 'a'.repeat(30);
/** Written from right to left, beyond the first plane, put together of several characters, with what YAML and TOML mean by them. */
const SCRIPTS = 'ﷺ مرحبا 𝄞𝄞 👩‍👩‍👧 e\u0301 "\'\\ {{ }} ${X} <b>&amp; # --- \u2028 %s \t ';
const text = (characters: number): string =>
  Array.from(SCRIPTS.repeat(Math.ceil(characters / Array.from(SCRIPTS).length)))
    .slice(0, characters)
    .join('');
const host = (first: string): string =>
  `${first.padEnd(63, 'x')}.${'y'.repeat(63)}.${'z'.repeat(63)}.${'w'.repeat(61)}`;
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

async function largestAnchor(): Promise<Loose> {
  const manifest = await simpleAnchor(harbour, NAME);
  const { spec } = manifest;
  const [asset] = spec.assets;
  spec.host = host('host');
  spec.homeDomains = many(16, (index) => host(`home${index}`));
  spec.organization = {
    name: text(128),
    url: `https://harbor.example/${'p'.repeat(2_000)}`,
    supportEmail: `help@${host('mail').slice(-248)}`,
    logo: `https://harbor.example/${'l'.repeat(2_000)}`,
    description: text(1_024),
  };
  spec.toml = `# ${'t'.repeat(65_000)}\n`;
  spec.assets = many(32, (index) => ({
    ...asset,
    code: `CODE${String(index).padStart(8, '0')}`,
    issuer: testKeys().account,
    distribution: { ...asset.distribution, account: testKeys().account },
    decimals: 7,
    symbol: '𝄞'.repeat(8),
    name: text(20),
    description: text(1_024),
    deposit: {
      min: '0.0000001',
      max: '922337203685.4775807',
      fee: { fixed: '0.0000001', percent: '99.9999999' },
    },
    limits: { hourly: '922337203685.4775807', daily: '922337203685.4775807' },
  }));
  spec.integration = {
    image: `registry.example/${'i'.repeat(400)}:1`,
    command: many(32, (index) => `${index} ${text(1_000)}`),
    env: many(64, (index) => ({
      name: `E${index}_${'N'.repeat(120)}`,
      value: text(index < 32 ? 8_192 : 10),
    })),
    replicas: 20,
  };
  spec.server = {
    replicas: 50,
    trustedProxies: many(32, (index) => `10.0.${index}.0/24`),
    frameAncestors: many(32, (index) => `https://${host(`frame${index}`).slice(0, 240)}`),
  };
  spec.expose = {
    ingress: {
      className: 'c'.repeat(63),
      annotations: Object.fromEntries(many(60, (index) => [`example.com/n${index}`, text(1_000)])),
    },
  };
  return manifest;
}

test(
  'the largest Anchor that the API server takes becomes all that it is made of, and then rests',
  async () => {
    await harbour.operate();
    const manifest = await largestAnchor();
    const anchor = await harbour.apply(manifest);
    const { message } = await harbour.condition(NAME, 'Accepted', 'Valid', 'InvalidSpec', 'ApplyRefused');
    expect(message).toBe('The spec is valid and acted upon.');
    const made = await eventually(
      'all of it is there',
      async () => {
        const children = await harbour.children(anchor);
        return children.length >= 29 && children;
      },
      60_000,
    );
    expect(made).toContain(`Ingress/${NAME}-server`);
    const integration = await harbour.get('Deployment', `${NAME}-integration`);
    const [container] = integration.spec.template.spec.containers;
    // As one comparison: a difference would be printed at length.
    expect(container.env.some(({ value }: Loose) => value === text(8_192))).toBe(true);
    const { status } = await harbour.anchor(NAME);
    expect(status.assets).toHaveLength(32);
    expect(status.assetCodes.split(',')).toHaveLength(32);
    // On a busy machine 70 pods become ready in several bursts, and to be quiet between two of them is not to rest.
    await harbour.condition(NAME, 'ServerReady', 'Available');
    await harbour.condition(NAME, 'IntegrationReady', 'NotReported');
    await harbour.condition(NAME, 'WatcherReady', 'NotReported');
    const before = await harbour.quiet();
    await new Promise((resolve) => void setTimeout(resolve, 4_000));
    expect((await harbour.writes()).slice(before)).toEqual([]);
  },
  LIMIT_MS,
);

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
