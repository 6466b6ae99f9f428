/** One event of a stream (HTML standard, section 9.2.6). */
export interface SseEvent {
  /** `message` unless named. */
  event: string;
  data: string;
  /** The event's own `id` line, if it had one. */
  id?: string;
}

export class SseTooLarge extends Error {
  override readonly name = 'SseTooLarge';
}

export interface SseParser {
  /** The events that `chunk` completes. @throws {SseTooLarge} when one exceeds the limit. */
  push(chunk: Uint8Array): SseEvent[];
}

/**
 * An incremental parser: cuts anywhere, also within a UTF-8 sequence or between CR and LF, change nothing. Comments and
 * `retry` lines are dropped, an unfinished event at the end of a stream never appears.
 * @param maxBytes of one event, counted in UTF-16 units.
 */
export function createSseParser(maxBytes: number): SseParser {
  const decoder = new TextDecoder('utf-8');
  let buffer = '';
  let event = blank();
  let size = 0;

  const takeLine = (line: string): SseEvent | undefined => {
    if (line === '') {
      const done = event.data === undefined ? undefined : finish(event.data, event);
      event = blank();
      size = 0;
      return done;
    }
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    size += line.length;
    if (name === 'data') event.data = event.data === undefined ? value : `${event.data}\n${value}`;
    else if (name === 'event') event.event = value;
    else if (name === 'id' && !value.includes('\0')) event.id = value;
    return undefined;
  };

  return {
    push(chunk) {
      buffer += decoder.decode(chunk, { stream: true });
      const { lines, rest } = splitLines(buffer);
      buffer = rest;
      const events: SseEvent[] = [];
      for (const line of lines) {
        const done = takeLine(line);
        if (done) events.push(done);
        if (size > maxBytes) throw new SseTooLarge(`An event exceeds ${maxBytes} bytes`);
      }
      if (size + buffer.length > maxBytes) throw new SseTooLarge(`An event exceeds ${maxBytes} bytes`);
      return events;
    },
  };
}

interface Draft {
  event: string | undefined;
  data: string | undefined;
  id: string | undefined;
}

const blank = (): Draft => ({ event: undefined, data: undefined, id: undefined });

function finish(data: string, { event, id }: Draft): SseEvent {
  return { event: event || 'message', data, ...(id === undefined ? {} : { id }) };
}

/** A final CR stays in `rest`: the LF that belongs to it may be the next chunk's first byte. */
function splitLines(text: string): { lines: string[]; rest: string } {
  const lines: string[] = [];
  const ending = /\r\n|\n|\r(?!$)/g;
  let start = 0;
  for (let match = ending.exec(text); match !== null; match = ending.exec(text)) {
    lines.push(text.slice(start, match.index));
    start = ending.lastIndex;
  }
  return { lines, rest: text.slice(start) };
}
