/**
 * The root of every error that Capstan raises on purpose: a stable `code` for programs and runbooks, and a
 * message that tells the reader what to do. Anything else that is thrown is a defect.
 */
export class CapstanError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The message of anything that was thrown, never its stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
