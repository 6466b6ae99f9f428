import { CapstanError, messageOf } from '../../core/runtime/errors.ts';
import { readAnchorStatus, type AnchorStatus } from '../../core/status/document.ts';
import { print, tableText, type Line, type OutputFormat } from './output.ts';

/** `capstan status`. */
export interface StatusOptions {
  readonly port: number;
  readonly output: OutputFormat;
}

const TIMEOUT_MS = 10_000;

class ServerUnreachable extends CapstanError {
  constructor(port: number, why: string) {
    super(
      'server_unreachable',
      `No server answers at the private port ${port} of this machine (${why}). Run this where "capstan server" runs; --port names another port.`,
    );
  }
}

/** `capstan status`: what the server beside this command says of its anchor, as the operator reads it. */
export async function runStatus({ port, output }: StatusOptions): Promise<number> {
  let body: unknown;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(`http://127.0.0.1:${port}/internal/status`, { signal });
    if (answer.status !== 200) throw new ServerUnreachable(port, `it answers ${answer.status}`);
    body = await answer.json();
  } catch (error) {
    throw error instanceof CapstanError ? error : new ServerUnreachable(port, messageOf(error));
  }
  const status = readAnchorStatus(body);
  print(output, { json: status, text: reportText(status) });
  return 0;
}

/** What is on its way, and what waits for a person. */
export function moneyLines({ money }: Pick<AnchorStatus, 'money'>): readonly Line[] {
  const counts: readonly (readonly [count: number, what: string, look: string])[] = [
    [money.transactionsFunded, 'transactions whose money is here', 'transactions'],
    [money.transfersOpen, 'payments that are to be made', ''],
    [money.submissionsPending, 'submissions on their way', ''],
    [money.tasksOpen, 'messages to integration and wallets', ''],
    [money.tasksGivenUp, 'messages that were given up', 'capstan tasks list --dead'],
    [money.receiptsAlarming, 'receipts that need a person', 'receipts --alerts'],
    [money.attention, 'transactions that need a person', 'transactions --attention'],
  ];
  return counts.map(([count, what, look]) => ({
    COUNT: String(count),
    WHAT: what,
    'LOOK AT': count === 0 ? '' : look,
  }));
}

/** What moves no money: who stopped it, and why. */
export function stoppedLines({ suspensions, frozen }: AnchorStatus): readonly Line[] {
  return [
    ...Object.entries(suspensions).map(([what, why]) => ({
      STOPPED: what,
      BY: 'support or a limit',
      WHY: why,
    })),
    ...Object.entries(frozen).map(([what, why]) => ({ STOPPED: what, BY: 'its journal', WHY: why })),
  ];
}

/** How far the ledger is followed. */
export function watcherLines({ watcher }: AnchorStatus): readonly Line[] {
  if (!watcher) return [];
  return Object.entries(watcher.accounts).map(([account, { state, position = '', lastError = '' }]) => ({
    ACCOUNT: account,
    STATE: state,
    CURSOR: position,
    ERROR: lastError,
  }));
}

function reportText(status: AnchorStatus): string {
  const { version, schema, ready, watcher } = status;
  const head = [
    `${status.anchor}: server ${version}, schema ${schema.found ?? 'unknown'} (needs ${schema.needed}), ${ready.ok ? 'ready' : `not ready: ${ready.reasons.join(', ')}`}`,
    `watcher: ${watcher ? `${watcher.holder}, heard of ${Math.round(watcher.ageSeconds)} s ago` : 'never heard of'}`,
  ];
  return [
    `${head.join('\n')}\n`,
    tableText(moneyLines(status), ''),
    tableText(stoppedLines(status), 'Nobody stopped anything.'),
    tableText(watcherLines(status), 'No account is followed.'),
  ].join('\n');
}
