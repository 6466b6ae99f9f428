/** The server's log, searched line by line as it is written. */
export interface WatchedLog {
  readonly write: (line: string) => void;
  readonly lines: () => number;
  /** Lines that tell of a defect. */
  readonly defects: readonly string[];
  /** Lines that hold a secret, a token or somebody's personal datum. */
  readonly leaks: readonly string[];
}

/** JSON Web Tokens, seeds (S… as strkeys) and bearer credentials, whoever's they are. */
const SECRET = /eyJ[\w-]{8,}\.|\bS[A-Z2-7]{55}\b|whsec_[\w+/]|Bearer [\w.~+/=-]{8}/i;
const KEPT = 20;

/** Outages are told as errors too: answers with 503, and a hook that was not there. */
function isDefect(line: string): boolean {
  if (!line.includes('"level":"error"') && !line.includes('"level":"fatal"')) return false;
  const { msg, status } = JSON.parse(line) as { readonly msg?: string; readonly status?: number };
  if (msg === 'request') return status !== 503;
  return !String(msg).startsWith('the toml hook');
}

/** @param secrets further texts that no line may hold */
export function watchLog(secrets: readonly string[]): WatchedLog {
  let count = 0;
  const defects: string[] = [];
  const leaks: string[] = [];
  return {
    write(line) {
      count += 1;
      if (defects.length < KEPT && isDefect(line)) defects.push(line.slice(0, 2_000));
      const isLeak = SECRET.test(line) || secrets.some((secret) => line.includes(secret));
      if (leaks.length < KEPT && isLeak) leaks.push(line.slice(0, 2_000));
    },
    lines: () => count,
    defects,
    leaks,
  };
}
