import { StringDecoder } from 'node:string_decoder';
import { KubeProtocolError } from './errors.ts';

/** An object of the API is at most about 1.5 MB (etcd's limit), a watch event little more. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/**
 * Cuts a stream of bytes into lines. Chunks may end anywhere, also within a character. What has no line feed when the
 * stream ends was cut off: it is never given out.
 */
export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8');
  private rest: string[] = [];
  private restLength = 0;

  /** @returns the lines that `chunk` completed, without empty ones. @throws KubeProtocolError for an endless one */
  push(chunk: Uint8Array): string[] {
    const parts = this.decoder.write(chunk).split('\n');
    const last = parts.pop() ?? '';
    const lines: string[] = [];
    for (const part of parts) {
      const line = this.rest.join('') + part;
      this.rest = [];
      this.restLength = 0;
      if (line.trim() !== '') lines.push(line);
    }
    if (last !== '') this.rest.push(last);
    this.restLength += last.length;
    if (this.restLength > MAX_LINE_CHARACTERS) {
      throw new KubeProtocolError(`a line of a watch is over ${MAX_LINE_CHARACTERS} characters`);
    }
    return lines;
  }
}
