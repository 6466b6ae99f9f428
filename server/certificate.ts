import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { CapstanError } from '../core/runtime/errors.ts';

/** Where a certificate (PEM, leaf first, then its chain) and its private key are mounted: `tls.crt`, `tls.key`. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface LoadedCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** End of validity, milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** SHA-256 of the leaf, as browsers show it. */
  readonly fingerprint: string;
  /** The names that it is good for, as X.509 writes them: `DNS:anchor.example`. */
  readonly names: string;
}

/** Nothing is mounted (yet). */
export class CertificateMissing extends CapstanError {
  constructor(files: CertificateFiles, cause: unknown) {
    super('certificate_missing', `No certificate at ${files.certificate} with its key at ${files.key}.`, {
      cause,
    });
  }
}

/** Something is mounted that TLS cannot use. */
export class CertificateInvalid extends CapstanError {
  constructor(files: CertificateFiles, cause: unknown) {
    super('certificate_invalid', `${files.certificate} and ${files.key} are no certificate and its key.`, {
      cause,
    });
  }
}

async function readPair(files: CertificateFiles): Promise<[Buffer, Buffer]> {
  try {
    return await Promise.all([readFile(files.certificate), readFile(files.key)]);
  } catch (error) {
    throw new CertificateMissing(files, error);
  }
}

/** Reads a certificate and proves that TLS takes it with this key. @throws CertificateMissing, CertificateInvalid */
export async function loadCertificate(files: CertificateFiles): Promise<LoadedCertificate> {
  const [cert, key] = await readPair(files);
  try {
    const leaf = new X509Certificate(cert);
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      throw new Error('the key belongs to another certificate');
    createSecureContext({ cert, key });
    return {
      cert,
      key,
      expiresAt: Date.parse(leaf.validTo),
      fingerprint: leaf.fingerprint256,
      names: leaf.subjectAltName ?? '',
    };
  } catch (error) {
    throw new CertificateInvalid(files, error);
  }
}
