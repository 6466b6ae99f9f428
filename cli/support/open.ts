import { openDatabase, requireSchema, type Database } from '../../core/database/database.ts';
import { loadAnchorConfig } from '../../core/runtime/config.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { createLog } from '../../core/runtime/log.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import type { OutputFormat } from './output.ts';

/** The options that every support command takes. */
export interface SupportOptions {
  readonly config: string;
  readonly secrets: string;
  readonly output: OutputFormat;
}

/** Those of a command that changes something. */
export interface ByOptions extends SupportOptions {
  /** The operator's name in the audit. */
  readonly as?: string;
}

export interface SupportContext {
  readonly anchor: Anchor;
  readonly database: Database;
}

export class InvalidId extends CapstanError {
  constructor(id: string) {
    super(
      'invalid_id',
      `"${id}" is no id: give the whole UUID, as "capstan transactions list -o json" prints it.`,
    );
  }
}

export class InvalidOperator extends CapstanError {
  constructor() {
    super(
      'invalid_operator_option',
      'Say who you are with --as NAME: letters, digits, and . _ @ - only, 64 at most; the audit keeps it.',
    );
  }
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** @throws {InvalidId} */
export function requireId(id: string): string {
  if (!UUID.test(id)) throw new InvalidId(id);
  return id.toLowerCase();
}

/** @throws {InvalidOperator} when neither --as nor $USER says a name */
export function actorOf({ as: name = process.env['USER'] ?? '' }: ByOptions): string {
  if (!/^[\w.@-]{1,64}$/.test(name)) throw new InvalidOperator();
  return `operator:${name}`;
}

/**
 * Opens the anchor's database for one command and closes it whatever happens. Standard output is the command's alone:
 * what is to be said on the way goes to standard error.
 */
export async function onAnchor<T>(
  options: SupportOptions,
  work: (context: SupportContext) => Promise<T>,
): Promise<T> {
  const log = createLog({ name: 'support', level: 'warn', destination: process.stderr });
  const config = await loadAnchorConfig({ file: options.config, secretsDir: options.secrets, log });
  if (!config.refs.databaseUrl) {
    // Loaded only here: it brings along all that a role needs, and a command should answer at once.
    const { SecretNotConfigured } = await import('../roles/process.ts');
    throw new SecretNotConfigured('spec.database');
  }
  const url = await config.readSecret(config.refs.databaseUrl);
  const database = openDatabase({ url, poolSize: 5, applicationName: 'capstan support' });
  try {
    await requireSchema(database);
    return await work({ anchor: config.anchor, database });
  } finally {
    await database.destroy();
  }
}
