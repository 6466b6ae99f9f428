import { StrKey } from '@stellar/stellar-sdk';
import { parse } from 'smol-toml';
import { currencyRules } from './sep1-currencies.ts';
import { Broken, isObject, mustHold, NotChecked, show, type Rule } from './rule.ts';

const MAX_BYTES = 100 * 1024;
/** Services that move value or tokens: never plain http, wherever they run. */
const ENDPOINTS = [
  'FEDERATION_SERVER',
  'AUTH_SERVER',
  'TRANSFER_SERVER',
  'TRANSFER_SERVER_SEP0024',
  'KYC_SERVER',
  'WEB_AUTH_ENDPOINT',
  'WEB_AUTH_FOR_CONTRACTS_ENDPOINT',
  'DIRECT_PAYMENT_SERVER',
  'ANCHOR_QUOTE_SERVER',
] as const;

const isRedirect = (status: number): boolean => status >= 300 && status < 400;

const fileRules: readonly Rule[] = [
  {
    id: 'sep1.toml.served',
    title: 'stellar.toml is served at /.well-known/stellar.toml',
    source: 'SEP-1, "Specification"',
    run: async ({ tomlAnswer }) => {
      const { status, url } = await tomlAnswer();
      if (isRedirect(status)) throw new NotChecked('It is redirected; see sep1.toml.no-redirect.');
      mustHold(status === 200, {
        expected: `200 from ${url}`,
        came: String(status),
        advice: 'Serve the file at exactly this path of the home domain, by https.',
      });
    },
  },
  {
    id: 'sep1.toml.no-redirect',
    title: 'stellar.toml is answered where it is asked for, not by a redirect',
    source: 'SEP-1; stellar-sdk follows no redirect',
    run: async ({ tomlAnswer }) => {
      const { status, headers } = await tomlAnswer();
      mustHold(!isRedirect(status), {
        expected: 'no redirect',
        came: `${status} to ${headers.get('location') ?? 'nowhere'}`,
        advice: 'Answer the file itself: wallets do not follow.',
      });
    },
  },
  served('sep1.toml.content-type', 'stellar.toml is plain text', 'SEP-1, "Specification"', ({ headers }) => {
    const type = headers.get('content-type') ?? '';
    mustHold(/^(text\/plain|application\/toml)\b/i.test(type), {
      expected: 'content type text/plain (or application/toml)',
      came: type || 'none',
      advice: 'Set the Content-Type; browsers then show the file, and strict checkers take it.',
    });
  }),
  served('sep1.toml.cors', 'stellar.toml may be read by any web page', 'SEP-1, "CORS"', ({ headers }) => {
    const allowed = headers.get('access-control-allow-origin');
    mustHold(allowed === '*', {
      expected: 'Access-Control-Allow-Origin: *',
      came: allowed ?? 'no such header',
      advice: 'Set it on this file, or no web wallet can find the anchor.',
    });
  }),
  served('sep1.toml.size', 'stellar.toml is not larger than 100 KB', 'SEP-1, "Specification"', ({ text }) => {
    const bytes = Buffer.byteLength(text);
    mustHold(bytes <= MAX_BYTES, {
      expected: `at most ${MAX_BYTES} bytes`,
      came: String(bytes),
      advice: 'Leave out what is not needed; wallets stop reading there.',
    });
  }),
  served('sep1.toml.syntax', 'stellar.toml is TOML', 'SEP-1; TOML 1.0', ({ text }) => {
    try {
      parse(text);
    } catch (error) {
      throw new Broken({
        expected: 'a file that a strict TOML parser reads',
        came: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error),
        advice: 'Correct it; newer wallets parse strictly.',
      });
    }
  }),
];

function served(
  id: string,
  title: string,
  source: string,
  judge: (answer: Awaited<ReturnType<Parameters<Rule['run']>[0]['tomlAnswer']>>) => void,
): Rule {
  return {
    id,
    title,
    source,
    run: async ({ tomlAnswer }) => {
      const answer = await tomlAnswer();
      if (answer.status !== 200) throw new NotChecked('It was not answered; see sep1.toml.served.');
      judge(answer);
    },
  };
}

const contentRules: readonly Rule[] = [
  {
    id: 'sep1.network-passphrase',
    title: 'stellar.toml names the network',
    source: 'SEP-1, "General Information"',
    run: async ({ toml }) => {
      const value = (await toml())['NETWORK_PASSPHRASE'];
      mustHold(typeof value === 'string' && value !== '', {
        expected: 'NETWORK_PASSPHRASE',
        came: show(value),
        advice: 'Name the network’s passphrase, so that no wallet signs for another one.',
      });
    },
  },
  {
    id: 'sep1.signing-key',
    title: 'stellar.toml names the key that signs challenges',
    source: 'SEP-1, "General Information"; SEP-10',
    run: async ({ toml }) => {
      const value = (await toml())['SIGNING_KEY'];
      mustHold(typeof value === 'string' && StrKey.isValidEd25519PublicKey(value), {
        expected: 'SIGNING_KEY, an account (G…)',
        came: show(value),
        advice: 'Write the public key of the SEP-10 signing key.',
      });
    },
  },
  {
    id: 'sep1.web-auth-endpoint',
    title: 'stellar.toml names the SEP-10 endpoint',
    source: 'SEP-1, "General Information"; SEP-10',
    run: async ({ toml }) => {
      const value = (await toml())['WEB_AUTH_ENDPOINT'];
      mustHold(isUrl(value) && new URL(value).search === '', {
        expected: 'WEB_AUTH_ENDPOINT, a URL without a query',
        came: show(value),
        advice: 'Wallets append their own query to it.',
      });
    },
  },
  {
    id: 'sep1.transfer-server',
    title: 'stellar.toml names the SEP-24 server',
    source: 'SEP-1, "General Information"; SEP-24',
    run: async ({ toml }) => {
      const value = (await toml())['TRANSFER_SERVER_SEP0024'];
      mustHold(isUrl(value), {
        expected: 'TRANSFER_SERVER_SEP0024, a URL',
        came: show(value),
        advice: 'TRANSFER_SERVER alone is for SEP-6; wallets look for this name.',
      });
    },
  },
  {
    id: 'sep1.urls.https',
    title: 'the services of stellar.toml are reached by https',
    source: 'SEP-10 and SEP-24, "HTTPS Only"',
    run: async ({ toml }) => {
      const plain = urlsOf(await toml()).filter(([, url]) => !url.startsWith('https://'));
      mustHold(plain.length === 0, {
        expected: 'https:// in every service’s URL',
        came: plain.map(([name, url]) => `${name} = ${url}`).join(', '),
        advice: 'Wallets refuse plain http, and tokens would travel readable.',
      });
    },
  },
  {
    id: 'sep1.urls.trailing-slash',
    title: 'the URLs of stellar.toml do not end in a slash',
    source: 'SEP-1; wallets append paths without looking',
    run: async ({ toml }) => {
      const slashed = urlsOf(await toml()).filter(([, url]) => url.endsWith('/'));
      mustHold(slashed.length === 0, {
        expected: 'no slash at the end',
        came: slashed.map(([name, url]) => `${name} = ${url}`).join(', '),
        advice: 'Drop it: the demo wallet would ask for …//info.',
      });
    },
  },
  {
    id: 'sep1.accounts',
    title: 'ACCOUNTS of stellar.toml are accounts',
    source: 'SEP-1, "General Information"',
    run: async ({ toml }) => {
      const { ACCOUNTS: accounts } = await toml();
      if (accounts === undefined) throw new NotChecked('ACCOUNTS is optional and not there.');
      const wrong = Array.isArray(accounts)
        ? accounts.filter(
            (account) => typeof account !== 'string' || !StrKey.isValidEd25519PublicKey(account),
          )
        : [accounts];
      mustHold(wrong.length === 0, {
        expected: 'a list of G… addresses',
        came: show(wrong),
        advice: 'Correct or remove them.',
      });
    },
  },
  {
    id: 'sep1.documentation',
    title: 'stellar.toml has a DOCUMENTATION table with the organisation’s name',
    source: 'SEP-1, "Organization Documentation"',
    run: async ({ toml }) => {
      const { DOCUMENTATION: table } = await toml();
      mustHold(isObject(table) && typeof table['ORG_NAME'] === 'string', {
        expected: '[DOCUMENTATION] with ORG_NAME',
        came: show(table),
        advice: 'Add it: the SDF’s wallet library fails without the table.',
      });
    },
  },
];

export const sep1Rules: readonly Rule[] = [...fileRules, ...contentRules, ...currencyRules];

function urlsOf(toml: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  return ENDPOINTS.flatMap((name) => {
    const value = toml[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
}

function isUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value);
}
