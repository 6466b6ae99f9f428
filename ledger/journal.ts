import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { JournalError } from './errors.ts';

/** A ledger as the journal keeps it: enough to make it again. */
export interface JournalLine {
  readonly sequence: number;
  /** Unix seconds */
  readonly closeTime: number;
  /** stroops per operation */
  readonly baseFee: string;
  /** base64 XDR, in the order in which they were applied */
  readonly envelopes: readonly string[];
}

interface Heading {
  readonly journal: 1;
  readonly passphrase: string;
}

const FILE_NAME = 'ledgers.jsonl';

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isHeading(value: unknown): value is Heading {
  return isObject(value) && value['journal'] === 1 && typeof value['passphrase'] === 'string';
}

function isLine(value: unknown): value is JournalLine {
  return (
    isObject(value) &&
    typeof value['sequence'] === 'number' &&
    typeof value['closeTime'] === 'number' &&
    typeof value['baseFee'] === 'string' &&
    Array.isArray(value['envelopes']) &&
    value['envelopes'].every((envelope) => typeof envelope === 'string')
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Every closed ledger, one JSON line each, on the disk before anyone is told of it. */
export class Journal {
  readonly #file: FileHandle;
  #size: number;

  private constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /**
   * Opens or begins the journal of a directory and replays what it holds. A last line that a crash cut off is
   * dropped: no one was told of its ledger.
   * @param replay called with each ledger, in order
   * @throws JournalError if it is another network's, or damaged before its end
   */
  static async open(
    directory: string,
    passphrase: string,
    replay: (line: JournalLine) => void,
  ): Promise<Journal> {
    await mkdir(directory, { recursive: true });
    const path = join(directory, FILE_NAME);
    const file = await open(path, 'a+');
    try {
      const size = await Journal.#read(file, path, passphrase, replay);
      await file.truncate(size);
      const journal = new Journal(file, size);
      if (size === 0) await journal.#write({ journal: 1, passphrase } satisfies Heading);
      return journal;
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
  }

  /** Returns once the ledger is on the disk. */
  async append(line: JournalLine): Promise<void> {
    await this.#write(line);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #write(value: object): Promise<void> {
    const text = `${JSON.stringify(value)}\n`;
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
    } catch (cause) {
      // Half a line must not be followed by another.
      await this.#file.truncate(this.#size);
      throw new JournalError('The journal cannot be written: check the disk.', { cause });
    }
    this.#size += Buffer.byteLength(text);
  }

  /** The length in bytes of what is whole. */
  static async #read(
    file: FileHandle,
    path: string,
    passphrase: string,
    replay: (line: JournalLine) => void,
  ): Promise<number> {
    let size = 0;
    let number = 0;
    const { size: total } = await file.stat();
    for await (const text of file.readLines({ start: 0, autoClose: false })) {
      const end = size + Buffer.byteLength(text) + 1;
      const value = end <= total ? parseJson(text) : undefined;
      if (value === undefined && end >= total) return size;
      number += 1;
      if (number === 1) Journal.#checkHeading(value, path, passphrase);
      else if (isLine(value)) replay(value);
      else
        throw new JournalError(
          `Line ${number} of ${path} is damaged: restore it or start in an empty directory.`,
        );
      size = end;
    }
    return size;
  }

  static #checkHeading(value: unknown, path: string, passphrase: string): void {
    if (!isHeading(value)) throw new JournalError(`${path} is no journal of a local ledger.`);
    if (value.passphrase === passphrase) return;
    throw new JournalError(`${path} belongs to the network "${value.passphrase}": use its passphrase.`);
  }
}
