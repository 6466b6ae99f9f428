/** What stands in a log where a secret or a personal datum stood. */
export const REDACTED = '[redacted]';

/** How deep a logged structure is kept when it has to be rebuilt; what lies deeper is left out whole. */
const MAX_DEPTH = 12;

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** The first byte of a decoded Stellar secret seed (SEP-23: 18 << 3, which makes the strkey start with S). */
const SEED_VERSION_BYTE = 18 << 3;
const SEED_LENGTH = 56;

/** Names whose value never reaches a log, whatever it is; compared without case and punctuation. */
const SECRET_NAMES = [
  'authorization',
  'proxy_authorization',
  'cookie',
  'set_cookie',
  'password',
  'passphrase_secret',
  'secret',
  'secret_key',
  'secret_seed',
  'seed',
  'private_key',
  'session_key',
  'signing_key_seed',
  'hmac_key',
  'api_key',
  'token',
  'access_token',
  'refresh_token',
  'jwt',
  'csrf',
  'csrf_token',
  'webhook_signature',
];

/** SEP-9 (natural person, organization, financial account, card): data about a customer. */
const PERSONAL_NAMES = [
  'last_name',
  'family_name',
  'first_name',
  'given_name',
  'additional_name',
  'full_name',
  'address',
  'state_or_province',
  'city',
  'postal_code',
  'mobile_number',
  'phone_number',
  'email',
  'email_address',
  'birth_date',
  'birth_place',
  'birth_country_code',
  'tax_id',
  'tax_id_name',
  'occupation',
  'employer_name',
  'employer_address',
  'id_type',
  'id_country_code',
  'id_issue_date',
  'id_expiration_date',
  'id_number',
  'photo_id_front',
  'photo_id_back',
  'notary_approval_of_photo_id',
  'photo_proof_residence',
  'proof_of_income',
  'proof_of_liveness',
  'ip_address',
  'sex',
  'referral_id',
  'bank_account_type',
  'bank_account_number',
  'bank_number',
  'bank_phone_number',
  'bank_branch_number',
  'external_transfer_memo',
  'clabe_number',
  'cbu_number',
  'cbu_alias',
  'mobile_money_number',
  'mobile_money_provider',
  'crypto_address',
  'crypto_memo',
  'registration_number',
  'registered_address',
  'director_name',
  'shareholder_name',
  'expiration_date',
  'cvc',
  'holder_name',
];

const plainName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
const hiddenNames: ReadonlySet<string> = new Set([...SECRET_NAMES, ...PERSONAL_NAMES].map(plainName));

/** Programs use few names; strangers may use any number, so only so many answers are kept. */
const MAX_KEPT_NAMES = 2_000;
const keptAnswers = new Map<string, boolean>();

/** True if the value of a property of this name (`email_address`, `Set-Cookie`, `bank.account_number` …) must not be logged. */
export function isHiddenName(name: string): boolean {
  const kept = keptAnswers.get(name);
  if (kept !== undefined) return kept;
  const lastPart = name.slice(name.lastIndexOf('.') + 1);
  const isHidden = hiddenNames.has(plainName(name)) || hiddenNames.has(plainName(lastPart));
  if (keptAnswers.size < MAX_KEPT_NAMES) keptAnswers.set(name, isHidden);
  return isHidden;
}

/** CRC-16/XMODEM, the checksum of a strkey (SEP-23). */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1)
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/** True if these 56 characters of the base-32 alphabet are a seed by version byte and checksum. */
function isSeed(text: string): boolean {
  const bytes = new Uint8Array(35);
  let buffered = 0;
  let bits = 0;
  let length = 0;
  for (const character of text) {
    buffered = ((buffered << 5) | BASE32.indexOf(character)) & 0xffff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[length] = (buffered >> bits) & 0xff;
    length += 1;
  }
  const checksum = (bytes[33] ?? 0) | ((bytes[34] ?? 0) << 8);
  return bytes[0] === SEED_VERSION_BYTE && crc16(bytes.subarray(0, 33)) === checksum;
}

/**
 * Hides the seeds in a run of base-32 characters. A run of exactly a seed's length that starts with S is hidden even
 * when its checksum is wrong (a mistyped seed); inside a longer run only what proves to be a seed, so that a muxed
 * account (M…, 69 characters) that happens to contain an S stays readable.
 */
function hideSeedsInRun(run: string): string {
  if (run.length === SEED_LENGTH && run.startsWith('S')) return REDACTED;
  for (let start = run.indexOf('S'); start !== -1; start = run.indexOf('S', start + 1)) {
    const candidate = run.slice(start, start + SEED_LENGTH);
    if (candidate.length < SEED_LENGTH) return run;
    if (isSeed(candidate)) {
      return `${run.slice(0, start)}${REDACTED}${hideSeedsInRun(run.slice(start + SEED_LENGTH))}`;
    }
  }
  return run;
}

const BASE32_RUN = /[A-Z2-7]{56,}/g;
/** Three base64url parts of which the first starts like `{"`: a JSON Web Token. The signature may be cut off. */
const TOKEN = /eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g;
const BEARER = /\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi;
const WEBHOOK_SECRET = /whsec_[\w+/=-]+/g;
const URL_PASSWORD = /(\/\/[^\s/:@"\\]*:)[^\s/@"\\]+@/g;
/** How JSON writes raw bytes; they may be a key. */
const BUFFER = /\{"type":"Buffer","data":\[[\d,]*\]\}/g;
const URL_TOKEN = /([?&](?:token|jwt|key|secret|code)=)[^\s&"\\#]+/gi;

/** Hides what is recognisable as a secret in any text: seeds, JSON Web Tokens, bearer credentials, passwords in URLs. */
export function redactText(text: string): string {
  return text
    .replaceAll(BASE32_RUN, hideSeedsInRun)
    .replaceAll(TOKEN, REDACTED)
    .replaceAll(BEARER, `$1 ${REDACTED}`)
    .replaceAll(WEBHOOK_SECRET, REDACTED)
    .replaceAll(URL_PASSWORD, `$1${REDACTED}@`)
    .replaceAll(BUFFER, `"${REDACTED}"`)
    .replaceAll(URL_TOKEN, `$1${REDACTED}`);
}

function redactTree(value: unknown, depth: number): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (depth > MAX_DEPTH) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => redactTree(item, depth + 1));
  const kept: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) {
    Object.defineProperty(kept, name, {
      value: isHiddenName(name) ? REDACTED : redactTree(item, depth + 1),
      enumerable: true,
    });
  }
  return kept;
}

/** Whole numbers beyond 2^53 (stroops) keep their digits, as text, when a line is rebuilt. */
function keepDigits(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isLost = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isLost ? (context?.source ?? String(value)) : value;
}

const PROPERTY_NAME = /"((?:[^"\\]|\\.)*)"\s*:/g;

function holdsHiddenName(json: string): boolean {
  for (const [, name] of json.matchAll(PROPERTY_NAME))
    if (name !== undefined && isHiddenName(name)) return true;
  return false;
}

/**
 * Makes one JSON log line safe to write. Most lines hold no hidden name and only pass the text rules; the others are
 * rebuilt. A line that is no JSON keeps to the text rules. The line's end is kept.
 */
export function redactLine(line: string): string {
  if (!holdsHiddenName(line)) return redactText(line);
  try {
    const tree: unknown = JSON.parse(line, keepDigits);
    return redactText(JSON.stringify(redactTree(tree, 0))) + (line.endsWith('\n') ? '\n' : '');
  } catch {
    return `${JSON.stringify({ level: 'error', msg: 'a log line could not be redacted and was dropped' })}\n`;
  }
}
