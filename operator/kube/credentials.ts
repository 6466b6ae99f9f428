import { readFile } from 'node:fs/promises';
import type { Clock } from '../../core/runtime/clock.ts';
import { CapstanError } from '../../core/runtime/errors.ts';

/** What a connection is opened with. PEM texts. */
export interface TlsAccess {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** As whom a request is made. */
export interface Access {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsAccess;
  /** URL of an HTTP proxy in between. */
  readonly proxy?: string;
}

/** Where the API server is and as whom we call it; both may be renewed while we run. */
export interface Credentials {
  /** Origin and, if there is one, a path prefix: `https://10.96.0.1:443`. */
  readonly server: string;
  /** Read again when older than a minute. */
  current(): Promise<Access>;
  /** The server did not know us: read again at the next call. */
  forget(): void;
}

/** The kubelet renews tokens long before they end; client-go looks once a minute, too. */
const REREAD_MS = 60_000;
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export class NoCluster extends CapstanError {
  constructor(message: string) {
    super('kube_no_cluster', message);
  }
}

/** Credentials that `read` yields, kept for a minute; concurrent callers share one reading. */
export function rereadCredentials(server: string, clock: Clock, read: () => Promise<Access>): Credentials {
  let kept: { readonly access: Promise<Access>; readonly at: number } | undefined;
  return {
    server: server.replace(/\/+$/, ''),
    current() {
      if (kept === undefined || clock.now() - kept.at >= REREAD_MS) {
        const reading = { access: read(), at: clock.now() };
        kept = reading;
        // A reading that failed must not be kept for a minute.
        reading.access.catch(() => {
          if (kept === reading) kept = undefined;
        });
      }
      return kept.access;
    },
    forget: () => void (kept = undefined),
  };
}

/**
 * The access of the pod that we run in: its ServiceAccount's token and CA, as files.
 *
 * @param options.env of the process; `folder` where the token is mounted
 * @throws NoCluster outside of a pod
 */
export function inClusterCredentials(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly folder?: string;
}): Credentials {
  const { env, clock, folder = SERVICE_ACCOUNT } = options;
  const [host, port] = [env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT']];
  if (host === undefined || port === undefined) {
    throw new NoCluster('this is no pod: KUBERNETES_SERVICE_HOST is not set. Name a kubeconfig instead.');
  }
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return rereadCredentials(server, clock, async () => {
    const [token, ca] = await Promise.all([
      readFile(`${folder}/token`, 'utf8'),
      readFile(`${folder}/ca.crt`, 'utf8'),
    ]);
    return { headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } };
  });
}
