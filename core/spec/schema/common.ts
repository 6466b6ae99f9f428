import * as z from 'zod';
import { formatAmount, InvalidAmount, parseAmount } from '../../transaction/amount.ts';
import type { Stroops } from '../../transaction/amount.ts';
import { isAccountKey } from '../account-key.ts';
import { DURATION, formatDuration, parseDuration } from '../duration.ts';
import { atomic, cel } from './kubernetes.ts';

/** Kubernetes' bound on names of objects (RFC 1123 subdomain) and on keys of a Secret or ConfigMap. */
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DATA_KEY = /^[-._a-zA-Z0-9]+$/;
const HOST = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*(:[1-9]\d{0,4})?$/;
const AMOUNT = /^\d{1,12}(\.\d{1,7})?$/;
const QUANTITY = /^\d{1,15}(\.\d{1,9})?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;

const PORT_MESSAGE = 'names a port above 65535: take one between 1 and 65535';
const QUANTITY_MESSAGE = 'must be a Kubernetes quantity, for example 100m, 2 or 256Mi';

/**
 * Text with a bound; every string of the spec has one, because CEL's cost is counted from it. Kubernetes counts characters,
 * JavaScript's `length` counts an emoji twice.
 */
export const bounded = (maximum: number): z.ZodString =>
  z
    .string()
    .refine(
      (value) => value.length <= maximum || Array.from(value).length <= maximum,
      `must have at most ${maximum} characters`,
    )
    .meta({ maxLength: maximum });

export const text = (maximum: number): z.ZodString => bounded(maximum).min(1);

export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(OBJECT_NAME, 'must be the name of a Kubernetes object: lower-case letters, digits, "-" and "."');

const dataKey = z
  .string()
  .min(1)
  .max(253)
  .regex(DATA_KEY, 'must be a key of the Secret or ConfigMap: letters, digits, "-", "_" and "."');

/** A host as it stands in a URL: lower case, a port only if it is not the scheme's own. */
export const host = z
  .string()
  .min(1)
  .max(253)
  .regex(HOST, 'must be a host name in lower case without https:// or a path, for example anchor.example.com')
  .refine((value) => Number(value.split(':')[1] ?? 1) <= 65_535, PORT_MESSAGE)
  .meta({
    title: 'host',
    ...cel(["!self.matches(':[0-9]{1,5}$') || int(self.split(':')[1]) <= 65535", PORT_MESSAGE]),
  });

const WRONG_CHECKSUM = 'has a wrong checksum: a character was mistyped or is missing, so copy the key again';
const SEED_MESSAGE =
  'looks like a secret seed: take it out, replace that key if the file was shared, and write the public key (G…)';
const notASeed = cel(["!self.startsWith('S')", SEED_MESSAGE]);

/** A secret pasted where a public key belongs is not echoed, but told apart. The checksum is looked at in-process only. */
export const accountKey = z
  .string()
  .length(56, { error: accountKeyMessage })
  .regex(/^G[A-Z2-7]{55}$/, { error: accountKeyMessage, abort: true })
  .refine(isAccountKey, WRONG_CHECKSUM)
  .meta({ title: 'account (G…)', ...notASeed });

/**
 * The account that issues an asset; undefined for XLM. Empty text says the same, because issuer is part of the key of
 * the list of assets in Kubernetes, and a key must have a value.
 */
export const issuerKey = z
  .string()
  .max(56, { error: accountKeyMessage })
  .regex(/^(G[A-Z2-7]{55})?$/, { error: accountKeyMessage, abort: true })
  .refine((value) => value === '' || isAccountKey(value), WRONG_CHECKSUM)
  .meta({ title: 'account (G…)', ...notASeed })
  .default('')
  .transform((value) => (value === '' ? undefined : value));

function accountKeyMessage(issue: { readonly input?: unknown }): string {
  return typeof issue.input === 'string' && issue.input.startsWith('S')
    ? SEED_MESSAGE
    : 'must be the public key of a Stellar account: G and 55 more letters and digits';
}

/** A non-negative decimal in quotes, so that YAML makes no floating point of it. */
export function amount(bounds: { readonly min?: Stroops; readonly max?: Stroops } = {}): z.ZodString {
  const { min = 0n, max = MOST_STROOPS } = bounds;
  const [least, most] = [`must be at least ${formatAmount(min)}`, `must be at most ${formatAmount(max)}`];
  return z
    .string()
    .min(1)
    .max(20)
    .regex(AMOUNT, {
      error:
        'must be an amount in quotes with at most 12 digits before and 7 after the point, for example "12.50"',
      abort: true,
    })
    .refine((value) => stroopsOf(value) !== undefined, { error: TOO_MUCH, abort: true })
    .refine((value) => (stroopsOf(value) ?? min) >= min, least)
    .refine((value) => (stroopsOf(value) ?? max) <= max, most)
    .meta({
      title: ['amount', bound('from', bounds.min), bound('to', bounds.max)].filter(Boolean).join(' '),
      ...cel(
        [quantityIs('<=', max), max === MOST_STROOPS ? TOO_MUCH : most],
        ...(min > 0n ? [[quantityIs('>=', min), least] as const] : []),
      ),
    });
}

const MOST_STROOPS = 2n ** 63n - 1n;
const TOO_MUCH = `is more than the ledger can carry: at most ${formatAmount(MOST_STROOPS)}`;

const quantityIs = (how: '<=' | '>=', stroops: Stroops): string =>
  `!isQuantity(self) || quantity(self).compareTo(quantity('${formatAmount(stroops)}')) ${how} 0`;

const bound = (side: string, stroops: Stroops | undefined): string =>
  stroops === undefined ? '' : `${side} ${formatAmount(stroops)}`;

function stroopsOf(value: string): Stroops | undefined {
  try {
    return parseAmount(value);
  } catch (error) {
    if (error instanceof InvalidAmount) return undefined;
    throw error;
  }
}

/** A duration ("10s", "30d") between two durations, both included. */
export function duration(min: string, max: string): z.ZodString {
  const [least, most] = [parseDuration(min), parseDuration(max)];
  const message = `must be between ${formatDuration(least)} and ${formatDuration(most)}`;
  return z
    .string()
    .min(2)
    .max(8)
    .regex(DURATION, {
      error: 'must be a whole number and one of s, m, h, d, for example 10s or 30d',
      abort: true,
    })
    .refine((value) => {
      const milliseconds = parseDuration(value);
      return milliseconds >= least && milliseconds <= most;
    }, message)
    .meta({
      title: `duration from ${formatDuration(least)} to ${formatDuration(most)}`,
      ...cel([secondsAreBetween(least / 1000, most / 1000), message]),
    });
}

/** A day is no unit of CEL's own durations. */
const secondsAreBetween = (least: number, most: number): string =>
  `!self.matches('^[1-9][0-9]{0,6}[smhd]$') || [int(self.substring(0, self.size() - 1)) * {'s': 1, 'm': 60, 'h': 3600, 'd': 86400}[self.substring(self.size() - 1)]].all(seconds, seconds >= ${least} && seconds <= ${most})`;

export function url(...schemes: readonly ('http' | 'https')[]): z.ZodString {
  return z
    .string()
    .min(1)
    .max(2048)
    .regex(new RegExp(`^(${schemes.join('|')})://[^\\s/?#@]+([/?#]\\S*)?$`), {
      error: `must be a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')} and holds no user name, password or blank`,
      abort: true,
    })
    .refine((value) => URL.canParse(value), 'is not a URL that can be read: check its host and port')
    .meta({ title: 'URL' });
}

export const secretRef = z
  .strictObject({
    name: objectName.describe('Name of the Secret, in the namespace of the Anchor.'),
    key: dataKey.describe('Key within the Secret.'),
  })
  .meta({ ...atomic, description: 'Where the secret is kept.' });

export const keyPair = z.strictObject({
  account: accountKey.describe(
    'Public key (G…) of the account. A process that holds a seed of another account refuses to start.',
  ),
  secretRef: secretRef.describe('Secret and key that hold the seed (S…) of the account.'),
});

/** Kubernetes' int-or-string: the one union that a structural schema may hold. */
const quantity = z
  .union([z.int().min(0), z.string().max(32).regex(QUANTITY, QUANTITY_MESSAGE)], { error: QUANTITY_MESSAGE })
  .meta({ 'x-kubernetes-int-or-string': true });

const resourceList = z.strictObject({
  cpu: quantity.exactOptional().describe('CPU, for example 100m or 2.'),
  memory: quantity.exactOptional().describe('Memory, for example 256Mi.'),
});

export const storage = z
  .string()
  .min(1)
  .max(32)
  .regex(QUANTITY, QUANTITY_MESSAGE)
  .meta({ title: 'quantity' });

export const resources = z
  .strictObject({
    requests: resourceList.exactOptional().describe('What the scheduler keeps free for the container.'),
    limits: resourceList.exactOptional().describe('What the container may use at most.'),
  })
  .describe('Compute resources of the container, as Kubernetes has them.');

const MOST_ANNOTATIONS = 64;
const ANNOTATION_KEY = 'has a name that is empty or longer than 317 characters: shorten it';

export const annotations = z
  .record(z.string(), bounded(4096))
  .refine((map) => Object.keys(map).length <= MOST_ANNOTATIONS, 'has more than 64 entries: take some out')
  .refine((map) => Object.keys(map).every((name) => name.length > 0 && name.length <= 317), ANNOTATION_KEY)
  .meta({
    maxProperties: MOST_ANNOTATIONS,
    ...cel(['self.all(name, name.size() > 0 && name.size() <= 317)', ANNOTATION_KEY]),
  })
  .describe('Annotations to set on the object.');

export { dataKey };
