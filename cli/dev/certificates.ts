import 'reflect-metadata';
import { webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import * as x509 from '@peculiar/x509';

export interface DevelopmentCertificates {
  /** PEM of the authority that a browser or a wallet has to trust. */
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The authority was made by this start: its user does not trust it yet. */
  readonly isNewAuthority: boolean;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const RENEW_BEFORE_MS = 30 * DAY_MS;

/**
 * Keeps a local certificate authority in `folder` and a certificate for `hosts` signed by it. The authority is made once,
 * so that a person trusts it once; the certificate is made anew when the hosts change or it nears its end.
 */
export async function keepCertificates(
  folder: string,
  hosts: readonly string[],
  now: Date,
): Promise<DevelopmentCertificates> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = {
    caFile: path.join(folder, 'ca.crt'),
    caKeyFile: path.join(folder, 'ca.key'),
    certificateFile: path.join(folder, 'tls.crt'),
    keyFile: path.join(folder, 'tls.key'),
  };
  const known = await readText(files.caFile);
  const isNewAuthority = known === undefined || isNearEnd(known, now);
  if (isNewAuthority) await makeAuthority(files, now);
  const certificate = await readText(files.certificateFile);
  if (
    isNewAuthority ||
    certificate === undefined ||
    !covers(certificate, hosts) ||
    isNearEnd(certificate, now)
  ) {
    await makeCertificate(files, hosts, now);
  }
  return { ...files, isNewAuthority };
}

type Files = Record<'caFile' | 'caKeyFile' | 'certificateFile' | 'keyFile', string>;

async function makeAuthority(files: Files, now: Date): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=Capstan development CA (this machine only)',
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter: new Date(now.getTime() + 3_650 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys: keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeFile(files.caKeyFile, await exportKey(keys.privateKey), { mode: 0o600 });
  await writeFile(files.caFile, `${certificate.toString('pem')}\n`);
}

async function makeCertificate(files: Files, hosts: readonly string[], now: Date): Promise<void> {
  const authority = new x509.X509Certificate(await readFile(files.caFile, 'utf8'));
  const [pem] = x509.PemConverter.decode(await readFile(files.caKeyFile, 'utf8'));
  if (!pem) throw new Error(`${files.caKeyFile} holds no key; delete its folder to begin anew`);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', pem, ALGORITHM, false, ['sign']);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${hosts[0] ?? 'localhost'}`,
    issuer: authority.subject,
    notBefore: new Date(now.getTime() - DAY_MS),
    // Apple's devices take no longer one.
    notAfter: new Date(now.getTime() + 365 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((host) => ({ type: isIP(host) ? ('ip' as const) : ('dns' as const), value: host })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  await writeFile(files.keyFile, await exportKey(keys.privateKey), { mode: 0o600 });
  await writeFile(files.certificateFile, `${certificate.toString('pem')}\n`);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

function serialNumber(): string {
  return Buffer.from(webcrypto.getRandomValues(new Uint8Array(12)))
    .toString('hex')
    .replace(/^[89a-f]/, '1');
}

function isNearEnd(pem: string, now: Date): boolean {
  return new Date(new NodeCertificate(pem).validTo).getTime() - RENEW_BEFORE_MS < now.getTime();
}

function covers(pem: string, hosts: readonly string[]): boolean {
  const certificate = new NodeCertificate(pem);
  return hosts.every(
    (host) => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined,
  );
}

async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
