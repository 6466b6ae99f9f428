import { isHiddenName, redactLine, redactText, REDACTED } from '../../core/runtime/redact.ts';
import { isRecord } from '../../core/spec/guards.ts';

/**
 * What leaves a cluster in a report. Our own processes hide secrets and personal data as they log; here that is done once
 * more, and for what others wrote: manifests of people, other containers' logs, events.
 */

const EMAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;
/** ISO 13616; its check digits are compared, so that hashes and names stay readable. */
const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?\b/g;
const CARD = /\b(?:\d[ -]?){12,18}\d\b/g;
const PHONE = /(?<![\w+])\+\d[\d ()-]{7,16}\d/g;
/** `password=…`, `email: …` in logs of strangers; `--api-key …` in arguments. */
const VALUE = `("[^"]*"|'[^']*'|[^\\s,;&"']+)`;
const PAIRS = [
  new RegExp(`(?<![\\w.])(-{0,2}[A-Za-z][\\w.-]{1,40})(\\s*[=:]\\s*)${VALUE}`, 'g'),
  new RegExp(`(?<![\\w.])(--[A-Za-z][\\w.-]{1,40})(\\s+)(?!-)${VALUE}`, 'g'),
];
const SECRET_WORD =
  /(?:^|[-_.])(?:passw(?:or)?d|pwd|secret|token|seed|credentials?|(?:api|private|access|hmac)[-_.]?key)$/i;

const isHidden = (name: string): boolean => {
  const bare = name.replace(/^-+/, '');
  return isHiddenName(bare) || SECRET_WORD.test(bare);
};

function isIban(text: string): boolean {
  const plain = text.replaceAll(' ', '');
  const turned = plain.slice(4) + plain.slice(0, 4);
  const digits = turned.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  let rest = 0;
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % 97;
  return rest === 1;
}

/** By the Luhn sum that every card number has. */
function isCard(text: string): boolean {
  const digits = Array.from(text.replaceAll(/\D/g, ''), Number).toReversed();
  const sum = digits.reduce((total, digit, index) => {
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

const hidePairs = (text: string, pair: RegExp): string =>
  text.replaceAll(pair, (whole, name: string, between: string) =>
    isHidden(name) ? `${name}${between}${REDACTED}` : whole,
  );

/** Any text: secrets by their form, pairs by their name, and what can be told to be a person's. */
export function redactReportText(text: string): string {
  return PAIRS.reduce(hidePairs, redactText(text))
    .replaceAll(EMAIL, REDACTED)
    .replaceAll(IBAN, (found) => (isIban(found) ? REDACTED : found))
    .replaceAll(CARD, (found) => (isCard(found) ? REDACTED : found))
    .replaceAll(PHONE, REDACTED);
}

/** Lines of a log, of our processes (JSON) or of anything else. */
export const redactLog = (text: string): string =>
  text
    .split('\n')
    .map((line) => {
      // An API server puts the time before each line.
      const [, time = '', rest = line] = /^(\d{4}-\d\d-\d\dT\S+ )(.*)$/.exec(line) ?? [];
      return time + redactReportText(rest.startsWith('{') ? redactLine(rest) : rest);
    })
    .join('\n');

/** Says nothing that is not elsewhere, or holds a copy of everything. */
const DROPPED = new Set(['managedFields', 'kubectl.kubernetes.io/last-applied-configuration']);
/** Whatever is in there, it may be a secret: an environment of the integration's, a given Secret's values. */
const isOpaque = (path: readonly string[]): boolean => {
  const [name, parent] = [path.at(-1), path.at(-3)];
  if (name === 'value' && (parent === 'env' || parent === 'environment')) return true;
  return path.length === 2 && (path[0] === 'stringData' || path[0] === 'binaryData');
};

/** An object of the API without what may not leave: structure, names and references stay. */
export function redactObject(object: unknown): unknown {
  const isSecret = isRecord(object) && object['kind'] === 'Secret';
  return walk(object, []);

  function walk(value: unknown, path: readonly string[]): unknown {
    if (typeof value === 'string') {
      const isValue = isOpaque(path) || (isSecret && path[0] === 'data');
      return isValue ? REDACTED : redactReportText(value);
    }
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, String(index)]));
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, item]) => {
        if (DROPPED.has(name)) return [];
        const isNamed = typeof item === 'string' && isHidden(name) && !isReference(path);
        return [[name, isNamed ? REDACTED : walk(item, [...path, name])]];
      }),
    );
  }
}

/** `secretRef: { name, key }` and labels name things; they hold nothing. */
const isReference = (path: readonly string[]): boolean =>
  /Ref$|^(labels|matchLabels|annotations)$/.test(path.at(-1) ?? '');
