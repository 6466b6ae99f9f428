import { readFileSync } from 'node:fs';

/**
 * Loaded before a process (`--import`): its clock is off by the milliseconds that the file SIM_CLOCK_FILE holds, read anew
 * five times a second, so that it jumps while the process runs, as after NTP's step or a virtual machine's pause.
 */
const file = process.env['SIM_CLOCK_FILE'];
const RealDate = Date;
let shiftMs = 0;

function read(): void {
  try {
    shiftMs = Number(readFileSync(file ?? '', 'utf8')) || 0;
  } catch {
    shiftMs = 0;
  }
}

class ShiftedDate extends RealDate {
  constructor(...values: readonly unknown[]) {
    if (values.length === 0) super(RealDate.now() + shiftMs);
    else super(...(values as [number]));
  }

  static override now(): number {
    return RealDate.now() + shiftMs;
  }
}

if (file !== undefined) {
  read();
  setInterval(read, 200).unref();
  globalThis.Date = ShiftedDate as DateConstructor;
}
