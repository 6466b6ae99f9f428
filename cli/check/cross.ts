import type { Facts } from './facts.ts';
import type { Answer } from './http.ts';
import { fieldsOf, mustHold, NotChecked, show, type Rule } from './rule.ts';

/** What the wallet library sends with its calls. */
const HEADERS = ['authorization', 'content-type', 'x-client-name', 'x-client-version'];

interface Endpoint {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  readonly url: (facts: Facts) => Promise<string>;
}

const below = (path: string) => async (facts: Facts) => `${await facts.transferServer()}${path}`;

const endpoints: readonly Endpoint[] = [
  { name: 'sep10-challenge', method: 'GET', url: (facts) => facts.webAuth() },
  { name: 'sep10-token', method: 'POST', url: (facts) => facts.webAuth() },
  { name: 'sep24-info', method: 'GET', url: below('/info') },
  { name: 'sep24-deposit', method: 'POST', url: below('/transactions/deposit/interactive') },
  { name: 'sep24-withdraw', method: 'POST', url: below('/transactions/withdraw/interactive') },
  { name: 'sep24-transaction', method: 'GET', url: below('/transaction') },
  { name: 'sep24-transactions', method: 'GET', url: below('/transactions') },
];

const listOf = (header: string | null): string[] =>
  (header ?? '').split(',').map((part) => part.trim().toLowerCase());

const preflightRules: readonly Rule[] = endpoints.map(({ name, method, url }) => ({
  id: `cors.preflight.${name}`,
  title: `a browser may send ${method} with a token to ${name.replace('-', ' ')} (preflight)`,
  source: 'SEP-10 and SEP-24, "Cross-Origin Headers"; Fetch standard',
  run: async (facts) => {
    const { status, headers } = await facts.http.send(await url(facts), {
      method: 'OPTIONS',
      purpose: 'preflight',
      headers: {
        'access-control-request-method': method,
        'access-control-request-headers': HEADERS.join(','),
      },
    });
    const allowed = listOf(headers.get('access-control-allow-headers'));
    const missing = HEADERS.filter(
      (header) => !allowed.includes(header) && !(allowed.includes('*') && header !== 'authorization'),
    );
    // Browsers let simple methods pass whatever the list says.
    const origin = headers.get('access-control-allow-origin');
    mustHold(status >= 200 && status < 300 && origin === '*' && missing.length === 0, {
      expected: `2xx, Access-Control-Allow-Origin: * and Access-Control-Allow-Headers with ${HEADERS.join(', ')}`,
      came: `${status}, origin ${origin ?? 'none'}, headers without ${missing.join(', ') || 'none of them'}`,
      advice: 'Name each header: `*` does not cover Authorization in browsers.',
    });
  },
}));

/** A rule about all the answers that the other rules got. */
function overAll(
  rule: Pick<Rule, 'id' | 'title' | 'source'>,
  isLookedAt: (answer: Answer) => boolean,
  judge: {
    holds: (answer: Answer) => boolean;
    expected: string;
    came: (answer: Answer) => string;
    advice: string;
  },
): Rule {
  return {
    ...rule,
    run: async ({ http }) => {
      const answers = http.journal.filter((answer) => answer.purpose === 'api' && isLookedAt(answer));
      if (answers.length === 0) throw new NotChecked('There was no such answer.');
      const wrong = answers.find((answer) => !judge.holds(answer));
      const where =
        wrong && `${judge.came(wrong)} at ${wrong.method} ${new URL(wrong.url).pathname} (${wrong.status})`;
      mustHold(wrong === undefined, { expected: judge.expected, came: where ?? '', advice: judge.advice });
    },
  };
}

const isError = ({ status }: Answer): boolean => status >= 400;
const isSuccess = (answer: Answer): boolean => !isError(answer);
const cors = {
  holds: ({ headers }: Answer) => headers.get('access-control-allow-origin') === '*',
  expected: 'Access-Control-Allow-Origin: *',
  came: ({ headers }: Answer) => headers.get('access-control-allow-origin') ?? 'no such header',
};

const answerRules: readonly Rule[] = [
  overAll(
    {
      id: 'cors.answers',
      title: 'every answer of the API may be read by any web page',
      source: 'SEP-10 and SEP-24, "Cross-Origin Headers"',
    },
    isSuccess,
    { ...cors, advice: 'Set it on every answer.' },
  ),
  overAll(
    {
      id: 'cors.errors',
      title: 'every error of the API may be read by any web page',
      source: 'SEP-10 and SEP-24, "Cross-Origin Headers"',
    },
    isError,
    { ...cors, advice: 'Set it before anything can fail: else browsers hide the error from the wallet.' },
  ),
  overAll(
    {
      id: 'json.content-type',
      title: 'every answer of the API says that it is JSON',
      source: 'SEP-10 and SEP-24, "Content Type"',
    },
    () => true,
    {
      holds: ({ headers }) => /^application\/json\b/i.test(headers.get('content-type') ?? ''),
      expected: 'content type application/json, of errors too',
      came: ({ headers }) => headers.get('content-type') ?? 'none',
      advice: 'Set it; wallets parse by it.',
    },
  ),
  overAll(
    {
      id: 'json.errors',
      title: 'every error of the API tells in `error` what is wrong',
      source: 'SEP-10 and SEP-24, "Error"',
    },
    // SEP-24 wants only `type` there; see sep24.auth.body.
    (answer) => isError(answer) && answer.status !== 401 && answer.status !== 403,
    {
      holds: ({ json }) => {
        const { error } = fieldsOf(json);
        return typeof error === 'string' && error !== '';
      },
      expected: '{"error": "<a sentence>"}',
      came: ({ text }) => show(text),
      advice: 'Answer this body to every error.',
    },
  ),
];

/** They judge what came before, so they run last. */
export const crossRules: readonly Rule[] = [...preflightRules, ...answerRules];
