import { createIntegrationClient } from '../../core/integration/client.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { ChildFailed, type Child } from './children.ts';
import { reservePort } from './ports.ts';

/** How often the integration is started, each time on another port, when it ends before it answers. */
const TRIES = 3;
const ANSWER_TRIES = 100;
/** Within this, one that could not have its port has ended. */
const GIVES_UP_WITHIN_MS = 3_000;

class IntegrationSilent extends CapstanError {
  constructor(url: string) {
    super(
      'integration_silent',
      `The integration does not answer at ${url} after 10 s. Does it listen on the port in its PORT variable?`,
    );
  }
}

export interface IntegrationStart {
  /** The port of the manifest; 0: any. */
  readonly wanted: number;
  /** The key with which it is called; it tells our integration from another anchor's. */
  readonly key: string;
  /** Starts the command with this PORT. */
  readonly launch: (port: number) => Promise<Child>;
  readonly onNotice: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Starts the integration and waits until it answers. A port can be taken between our look and its bind, by another
 * "capstan dev" for example: when the command ends before it answers it is started again on another port.
 * @throws {ChildFailed} it ended each time
 * @throws {IntegrationSilent}
 */
export async function startIntegration(start: IntegrationStart): Promise<{ child: Child; url: string }> {
  const { wanted, launch, onNotice } = start;
  for (let attempt = 1; ; attempt++) {
    const reserved = await reservePort(attempt === 1 ? [wanted] : []);
    const { port } = reserved;
    if (wanted !== 0 && port !== wanted) onNotice(`Port ${wanted} is taken: the integration gets ${port}.`);
    await reserved.release();
    const child = await launch(port);
    const url = `http://127.0.0.1:${port}`;
    const ends = child.ended.then(() => {
      throw new ChildFailed('integration', 'ended before it answered', []);
    });
    try {
      await Promise.race([answers(start, url, ends), ends]);
      return { child, url };
    } catch (error) {
      await child.stop();
      if (attempt === TRIES || start.signal.aborted || !(error instanceof ChildFailed)) throw error;
    }
  }
}

/** Waits until something answers HTTP there, and makes sure that it is not somebody else. */
async function answers({ key, signal }: IntegrationStart, url: string, ends: Promise<never>): Promise<void> {
  for (let attempt = 0; attempt < ANSWER_TRIES; attempt++) {
    signal.throwIfAborted();
    try {
      await fetch(url, { signal: AbortSignal.timeout(1_000) });
    } catch {
      await systemClock.sleep(100, signal);
      continue;
    }
    // One that does not know our key is another's, and ours is about to end; or ours, and its author has work to do.
    if (!(await knowsKey(url, key)))
      await Promise.race([systemClock.sleep(GIVES_UP_WITHIN_MS, signal), ends]);
    return;
  }
  throw new IntegrationSilent(url);
}

async function knowsKey(baseUrl: string, key: string): Promise<boolean> {
  const client = createIntegrationClient({
    baseUrl,
    key,
    clock: systemClock,
    deadlineMs: 2_000,
    attempts: 1,
  });
  try {
    await client.declaration();
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}
