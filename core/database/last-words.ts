/** What PostgreSQL says to those who connect while it is not up: it tells nothing of why. */
const TO_CLIENTS = /the database system is|connection|authentication failed|role .* does not exist/;
const MOST_LINES = 20;

/** Out of PostgreSQL's log, what is worth telling when it has ended. */
export interface LastWords {
  /** A piece of the log, of any number of lines. */
  readonly hear: (text: unknown) => void;
  /** Why it ended: the last error that ends a process, or else its last line. */
  readonly why: () => string | undefined;
}

export function createLastWords(): LastWords {
  const lines: string[] = [];
  let fatal: string | undefined;
  return {
    hear(text) {
      for (const line of String(text).split('\n')) {
        const [, level, message = ''] = /\b(LOG|FATAL|PANIC|ERROR):\s+(.*)/.exec(line) ?? [];
        if (TO_CLIENTS.test(message) && level === 'FATAL') continue;
        if (line.trim() !== '') lines.push(line.trim());
        if (lines.length > MOST_LINES) lines.shift();
        if (level === 'FATAL' || level === 'PANIC') fatal = message.trim();
      }
    },
    why: () => fatal ?? lines.at(-1),
  };
}
