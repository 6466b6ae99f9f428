import { encode } from 'uqr';

/** A QR code as templates/qr.liquid draws it. */
export interface QrView {
  /** Modules in a row, with the quiet zone. */
  readonly size: number;
  /** SVG path data: one square a dark module. */
  readonly path: string;
  readonly label: string;
}

/** Quiet zone of ISO/IEC 18004. */
const BORDER = 4;
/** More would be too fine for the camera of an old phone at this size. */
const LONGEST_CONTENT = 900;

/** @returns undefined for a content that no code can hold */
export function viewQr(content: string, label: string): QrView | undefined {
  if (Buffer.byteLength(content) > LONGEST_CONTENT) return undefined;
  const { data, size } = encode(content, { ecc: 'M', border: BORDER });
  const path = data.map((row, y) =>
    runsOf(row)
      .map(([x, length]) => `M${x} ${y}h${length}v1h-${length}z`)
      .join(''),
  );
  return { size, path: path.join(''), label };
}

/** Where dark modules stand in a row, as [start, length]. */
function runsOf(row: readonly boolean[]): [number, number][] {
  const runs: [number, number][] = [];
  row.forEach((isDark, x) => {
    const last = runs.at(-1);
    if (!isDark) return;
    if (last && last[0] + last[1] === x) last[1] += 1;
    else runs.push([x, 1]);
  });
  return runs;
}
