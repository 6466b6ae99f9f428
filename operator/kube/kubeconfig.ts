import type { KubeConfig } from '@kubernetes/client-node';
import type { RequestOptions } from 'node:https';
import type { Clock } from '../../core/runtime/clock.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { NoCluster, rereadCredentials } from './credentials.ts';
import type { Access, Credentials } from './credentials.ts';

class UnsupportedProxy extends CapstanError {
  constructor(proxy: string) {
    super('kube_unsupported_proxy', `proxy-url ${proxy}: only http:// and https:// proxies are supported.`);
  }
}

const pem = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  return ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
    : undefined;
};

const stringHeaders = (headers: RequestOptions['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers ?? {}).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), String(value)]],
    ),
  );

async function readAccess(config: KubeConfig): Promise<Access> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const [ca, cert, key] = [pem(options.ca), pem(options.cert), pem(options.key)];
  const proxy = config.getCurrentCluster()?.proxyUrl;
  if (proxy !== undefined && !/^https?:/.test(proxy)) throw new UnsupportedProxy(proxy);
  return {
    headers: {
      ...stringHeaders(options.headers),
      ...(options.auth == null
        ? {}
        : { authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` }),
    },
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(options.servername === undefined ? {} : { servername: options.servername }),
      ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
    },
    ...(proxy === undefined ? {} : { proxy }),
  };
}

/**
 * The access that a kubeconfig describes, with all of client-node's ways to log in (client certificates, tokens,
 * `exec` plugins, OIDC). client-node is loaded by this call only: it takes 55 MiB, which the operator in its pod
 * (`inClusterCredentials`) does without. Nothing of its HTTP is used; it opens a connection for each call.
 *
 * @param options.path a file; default: KUBECONFIG, else ~/.kube/config
 * @throws NoCluster when the file names no cluster
 */
export async function kubeconfigCredentials(options: {
  readonly clock: Clock;
  readonly path?: string;
  readonly context?: string;
}): Promise<Credentials & { readonly namespace: string | undefined }> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (options.path === undefined) config.loadFromDefault();
  else config.loadFromFile(options.path);
  if (options.context !== undefined) config.setCurrentContext(options.context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new NoCluster(`the kubeconfig has no cluster for its context "${config.getCurrentContext()}".`);
  }
  const credentials = rereadCredentials(cluster.server, options.clock, () => readAccess(config));
  return { ...credentials, namespace: config.getContextObject(config.getCurrentContext())?.namespace };
}
