import * as z from 'zod';
import type { Finding } from '../validate.ts';
import { objectName } from './common.ts';

const MOST_KEYS = 1024;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const values = z.record(
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[-._a-zA-Z0-9]+$/, 'must be a key of letters, digits, "-", "_" and "."'),
  z.string(),
);

/** A core/v1 Secret or ConfigMap, as far as it is read here. */
export const dataManifest = z.looseObject({
  metadata: z.looseObject({
    name: objectName.describe('Name of the object.'),
    namespace: z
      .string()
      .min(1)
      .max(63)
      .default('default')
      .describe('Namespace, the same as that of the Anchor.'),
  }),
  data: values.nullish(),
  stringData: values.nullish(),
  binaryData: values.nullish(),
});

/** Key by key the bytes that the object stands for; base64 garbage becomes a finding that does not show it. */
export function decodeData(
  manifest: z.output<typeof dataManifest>,
  kind: 'Secret' | 'ConfigMap',
): { readonly values: ReadonlyMap<string, Uint8Array>; readonly findings: readonly Finding[] } {
  const encoded = (kind === 'Secret' ? manifest.data : manifest.binaryData) ?? {};
  const plain = (kind === 'Secret' ? manifest.stringData : manifest.data) ?? {};
  const field = kind === 'Secret' ? 'data' : 'binaryData';
  const findings: Finding[] = [];
  const decoded = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(encoded)) {
    const bare = text.replace(/[\r\n]/g, '');
    if (BASE64.test(bare)) decoded.set(key, Buffer.from(bare, 'base64'));
    else findings.push({ path: [field, key], message: notBase64(kind) });
  }
  for (const [key, text] of Object.entries(plain)) decoded.set(key, Buffer.from(text, 'utf8'));
  if (decoded.size > MOST_KEYS)
    findings.push({ path: [field], message: `holds more than ${MOST_KEYS} keys: split it.` });
  return { values: decoded, findings };
}

function notBase64(kind: 'Secret' | 'ConfigMap'): string {
  const other = kind === 'Secret' ? 'stringData' : 'data';
  return `is not base64: encode the value, or move it to ${other}, which takes plain text.`;
}
