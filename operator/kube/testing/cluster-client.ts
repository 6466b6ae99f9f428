import { createLog } from '../../../core/runtime/log.ts';
import { monotonicClock } from '../../engine/monotonic-clock.ts';
import { createKubeClient } from '../client.ts';
import type { ClientOptions, KubeClient } from '../client.ts';
import { rereadCredentials } from '../credentials.ts';
import { kubeconfigCredentials } from '../kubeconfig.ts';
import type { Kind } from '../kinds.ts';
import { createTransport } from '../transport.ts';

export interface TestClient extends KubeClient {
  close(): Promise<void>;
}

/** A client of the real API server, by a kubeconfig or through a proxy (`http://…`). */
export async function testClient(
  target: { readonly kubeconfig: string } | { readonly url: string },
  options: Partial<ClientOptions> & { readonly kinds?: readonly Kind[] } = {},
): Promise<TestClient> {
  const credentials =
    'kubeconfig' in target
      ? await kubeconfigCredentials({ clock: monotonicClock, path: target.kubeconfig })
      : rereadCredentials(target.url, monotonicClock, async () => ({ headers: {}, tls: {} }));
  const transport = createTransport({ credentials });
  const client = createKubeClient({
    transport,
    clock: monotonicClock,
    userAgent: 'capstan-operator/test',
    fieldManager: 'tester',
    ...options,
  });
  return { ...client, close: () => transport.close() };
}

/** A log that nobody reads, or into `lines`. */
export const testLog = (lines: string[] = []) =>
  createLog({ name: 'test', level: 'debug', destination: { write: (line) => lines.push(line) } });

/** Waits until `check` holds; the time is for a stuck test only. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const endsAt = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > endsAt) throw new Error(`not within ${withinMs} ms: ${what}`);
    await monotonicClock.sleep(25);
  }
}
