import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * `make demo`: runs the example anchor with the example bank, then a wallet made with the Stellar SDF's wallet library,
 * which deposits and withdraws. Each of them is a process of its own, as it would be anywhere.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FLAGS = ['--disable-warning=ExperimentalWarning'];

/** What `capstan dev` says when it is ready. */
interface Ready {
  readonly host: string;
  readonly url: string;
  readonly horizon: string;
  readonly integration: string;
  readonly ca: string;
  readonly passphrase: string;
}

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    network: { type: 'string', default: 'local' },
    data: { type: 'string', default: path.join(ROOT, '.capstan') },
  },
});

const startedAt = Date.now();
const anchor = startAnchor(manifestFor(values.network));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stopAnchor(130));
anchor.once('exit', (code) => {
  process.stderr.write(`The anchor ended with code ${code}; its last lines above say why.\n`);
  process.exit(1);
});
const ready = await becomesReady(anchor);
const code = await runWallet(ready);
if (values.once || code !== 0) await stopAnchor(code);
else {
  process.stdout.write(
    [
      '',
      '  Both flows are through. The anchor keeps running:',
      `    the bank, played by you   ${ready.integration}/bank/`,
      `    the anchor                ${ready.url}/.well-known/stellar.toml`,
      `    the ledger                ${ready.horizon}`,
      '  Ctrl-C stops everything.',
      '',
    ].join('\n'),
  );
}

/** demo.yaml as it is, or with another test network in it. */
function manifestFor(network: string): string {
  const file = path.join(ROOT, 'examples/anchors/demo.yaml');
  if (network === 'local') return file;
  if (network !== 'testnet') {
    process.stderr.write(`NETWORK=${network} is none that the demo knows: use local or testnet.\n`);
    process.exit(2);
  }
  const text = readFileSync(file, 'utf8')
    .replace('network: { name: local }', 'network: { name: testnet }')
    .replace('metadata: { name: demo }', 'metadata: { name: demo-testnet }');
  const other = path.join(values.data, 'demo-testnet.yaml');
  mkdirSync(values.data, { recursive: true });
  writeFileSync(other, text);
  return other;
}

function startAnchor(manifest: string): ChildProcess {
  const args = [...FLAGS, path.join(ROOT, 'cli/main.ts'), 'dev', '-f', manifest, '--data', values.data];
  return spawn(process.execPath, [...args, ...(values.once ? ['--quiet'] : [])], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Ctrl-C is for this process, which stops the anchor in its order.
    detached: true,
  });
}

function becomesReady(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve) => {
    child.on('message', (message: { ready?: Ready }) => {
      if (message.ready) resolve(message.ready);
    });
  });
}

function runWallet({ host, horizon, passphrase, integration, ca }: Ready): Promise<number> {
  const flags = { 'home-domain': host, horizon, passphrase, asset: 'SRT', bank: integration };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const wallet = spawn(
    process.execPath,
    [
      ...FLAGS,
      path.join(ROOT, 'examples/wallet/main.ts'),
      ...args,
      ...(values.once ? ['--json'] : []),
      '--started-at',
      String(startedAt),
    ],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, NODE_EXTRA_CA_CERTS: ca } },
  );
  return new Promise((resolve) => wallet.once('exit', (exit) => resolve(exit ?? 1)));
}

async function stopAnchor(exit: number): Promise<never> {
  anchor.removeAllListeners('exit');
  if (anchor.exitCode === null) {
    const ended = new Promise((resolve) => anchor.once('exit', resolve));
    anchor.kill('SIGTERM');
    await ended;
  }
  process.exit(exit);
}
