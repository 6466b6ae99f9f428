/** Networks whose passphrase the world knows; Horizon as the SDF runs it. */
export const PUBLIC_PASSPHRASE = 'Public Global Stellar Network ; September 2015';
export const TESTNET_PASSPHRASE = 'Test SDF Network ; September 2015';
/** The network of `capstan ledger`, unless the spec gives it another. */
export const LOCAL_PASSPHRASE = 'Capstan Local Network ; 2026';

export const PUBLIC_HORIZON = 'https://horizon.stellar.org';
export const TESTNET_HORIZON = 'https://horizon-testnet.stellar.org';
export const LOCAL_HORIZON = 'http://127.0.0.1:8000';

/** Whether a URL's host is this machine. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Whether a URL's host is this machine or a Service of the cluster, where nothing crosses the internet. */
export function isInternal(url: string): boolean {
  const { hostname } = new URL(url);
  return isLoopback(url) || /^[^.:]+$|\.svc$|\.svc\.cluster\.local$/.test(hostname);
}
