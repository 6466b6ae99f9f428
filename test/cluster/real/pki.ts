import 'reflect-metadata';
import { generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import * as x509 from '@peculiar/x509';
import { keepCertificates } from '../../../cli/dev/certificates.ts';
import { kubeconfigText } from '../components.ts';
import { API_URL, at, kubeconfigOf, NODE, SERVICES, USERS, type User } from './places.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const SECRET = { mode: 0o600 };
const NAMES = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];

/** Keys, certificates, tokens and kubeconfigs of one cluster: made when it starts, gone with its folder. */
export async function writeAccess(): Promise<void> {
  const hosts = [NODE.address, '127.0.0.1', SERVICES.api, ...NAMES, `${NAMES[2]}.cluster.local`, NODE.name];
  await keepCertificates(at('pki'), hosts, new Date());
  const ca = await readFile(at('pki/ca.crt'), 'utf8');
  await writeClientCertificate(ca);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(at('pki/service-accounts.key'), privateKey.export({ format: 'pem', type: 'sec1' }), SECRET);
  const lines: string[] = [];
  for (const [name, { user, group }] of Object.entries(USERS) as [User, (typeof USERS)[User]][]) {
    const token = randomBytes(24).toString('hex');
    lines.push(`${token},${user},${user},"${group}"\n`);
    await writeFile(kubeconfigOf(name), kubeconfigText({ server: API_URL, ca, token }), SECRET);
    if (name === 'admin') await writeFile(at('pki/admin.token'), token, SECRET);
  }
  await writeFile(at('pki/tokens.csv'), lines.join(''), SECRET);
}

/** With which the API server calls the kubelet, for logs and exec. */
async function writeClientCertificate(ca: string): Promise<void> {
  const authority = new x509.X509Certificate(ca);
  const [pem] = x509.PemConverter.decode(await readFile(at('pki/ca.key'), 'utf8'));
  if (!pem) throw new Error(`${at('pki/ca.key')} holds no key`);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', pem, ALGORITHM, false, ['sign']);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `1${randomBytes(8).toString('hex')}`,
    subject: 'O=system:masters, CN=kube-apiserver-kubelet-client',
    issuer: authority.subject,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 30 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  });
  const key = x509.PemConverter.encode(
    await webcrypto.subtle.exportKey('pkcs8', keys.privateKey),
    'PRIVATE KEY',
  );
  await writeFile(at('pki/kubelet-client.key'), `${key}\n`, SECRET);
  await writeFile(at('pki/kubelet-client.crt'), `${certificate.toString('pem')}\n`);
}
