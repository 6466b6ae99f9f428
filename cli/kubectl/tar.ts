import { gzipSync } from 'node:zlib';

/** One file of an archive. */
export interface ArchiveFile {
  /** Relative, with `/` between its parts. */
  readonly path: string;
  readonly text: string;
}

const BLOCK = 512;
/** POSIX.1-1988 (ustar): the name of a file, and the folders before it. */
const MOST_BYTES = { name: 100, prefix: 155 } as const;

function header(path: string, size: number, seconds: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const cut = path.lastIndexOf('/') + 1;
  const [prefix, name] = [path.slice(0, Math.max(0, cut - 1)), path.slice(cut)];
  if (Buffer.byteLength(name) > MOST_BYTES.name || Buffer.byteLength(prefix) > MOST_BYTES.prefix)
    throw new RangeError(`${path} is too long for a path of the archive`);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  block.write(name, 0, 'utf8');
  block.write(prefix, 345, 'utf8');
  // Mode, owner, group, size, time; then a checksum over the block in which the checksum itself is spaces.
  block.write(octal(0o600, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(seconds, 12), 100);
  block.write('        0', 148);
  block.write('ustar\u000000', 257, 'latin1');
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
    148,
  );
  return block;
}

/** A gzipped tar of text files, all of one time. @throws RangeError for a path that the format has no room for */
export function tarGz(files: readonly ArchiveFile[], atMs: number): Buffer {
  const blocks = files.flatMap(({ path, text }) => {
    const body = Buffer.from(text, 'utf8');
    const padding = Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK);
    return [header(path, body.length, Math.floor(atMs / 1_000)), body, padding];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
}
