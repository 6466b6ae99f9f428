/** Tells a parent (`capstan dev`, tests) that this process works now, and where. */
export function sayReady(detail: unknown): void {
  process.send?.({ ready: detail });
}
