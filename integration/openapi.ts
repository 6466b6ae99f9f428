import { z } from 'zod';
import {
  CONTRACT_PATH,
  declaration,
  hookNames,
  hooks,
  type Hook,
  type HookName,
} from '../core/integration/contract.ts';

type Json = Record<string, unknown>;

const DESCRIPTION = `What a business serves so that Capstan can run its Stellar anchor.

**Every call may come more than once.** A call with an effect carries an idempotency key (its \`webhook-id\`); the same
key is the same effect, to be caused once and answered the same each time.

Calls are signed by the Standard Webhooks scheme (standardwebhooks.com): HMAC-SHA256 over
\`{webhook-id}.{webhook-timestamp}.{body}\` with the key that Capstan and the integration share. Refuse with 401 what is
not signed, wrongly signed, or more than five minutes old, and with 400 a body whose \`hook\` is not the one of its URL.

Serve the hooks that you need and list them in the declaration; Capstan's default serves for the others. Amounts are
decimal strings. Ignore keys of requests that you do not know; answers may have none that the contract does not know.
Transactions whose id begins with \`capstan-check-\` are made up by \`capstan check-integration\`: move no money.`;

/** The contract as an OpenAPI 3.1 document; `integration/openapi.json` is this, written by `write-openapi.ts`. */
export function buildOpenApi(): Json {
  const schemas: Json = {
    Problem: {
      type: 'object',
      required: ['error'],
      properties: {
        error: { type: 'string', description: 'What is wrong, in one sentence.' },
        problem: { type: 'string', description: 'What of the contract is broken.' },
      },
    },
  };
  const paths: Json = { [CONTRACT_PATH]: { get: declarationOperation(schemas) } };
  for (const name of hookNames) {
    paths[`${CONTRACT_PATH}/${name}`] = { post: hookOperation(name, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Capstan integration contract',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://localhost:8080', description: 'The integration.' }],
    paths,
    components: { schemas, parameters, responses },
  };
}

function declarationOperation(schemas: Json): Json {
  return {
    operationId: 'declaration',
    summary: 'What this integration serves.',
    parameters: signatureParameters,
    responses: { 200: json('The declaration.', schemaOf(declaration, schemas)), ...problemResponses },
  };
}

function hookOperation(name: HookName, schemas: Json): Json {
  const hook: Hook = hooks[name];
  const required = hook.requiredFor
    ? `\n\nRequired for ${hook.requiredFor}.`
    : `\n\nWithout it: ${hook.fallback}`;
  const key = { $ref: '#/components/parameters/idempotency-key' };
  return {
    operationId: operationId(name),
    summary: name,
    description: hook.when + required,
    tags: [name.split('/')[0]],
    parameters: hook.effect ? [...signatureParameters, key] : signatureParameters,
    requestBody: { required: true, ...content(requestSchema(name, hook, schemas)) },
    responses: { 200: json('What came of it.', schemaOf(hook.response, schemas)), ...problemResponses },
  };
}

/** The request as it is signed: with the name of its hook in it. */
function requestSchema(name: HookName, hook: Hook, schemas: Json): Json {
  const { type, properties, required = [], ...rest } = schemaOf(hook.request, schemas);
  const named = { hook: { const: name }, ...(properties as Json) };
  return { type, properties: named, required: ['hook', ...(required as string[])], ...rest };
}

const parameters = {
  'webhook-id': header(
    'webhook-id',
    'Identifies the call; the same in every attempt to make it. Signed.',
    '^[^.]{1,255}$',
  ),
  'webhook-timestamp': header('webhook-timestamp', 'Seconds since the Unix epoch. Signed.', '^[0-9]+$'),
  'webhook-signature': header(
    'webhook-signature',
    '`v1,` and the signature in base64; several, separated by blanks, while a key is replaced: one has to match.',
  ),
  'idempotency-key': header(
    'idempotency-key',
    'The webhook-id again, on calls with an effect: the same key is the same effect.',
  ),
};
const signatureParameters = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => ({
  $ref: `#/components/parameters/${name}`,
}));

const responses = {
  Refused: json(
    'Capstan is at fault, and an operator is alerted. But 408, 409, 425 and 429 mean “later”, like 5xx.',
    {
      $ref: '#/components/schemas/Problem',
    },
  ),
  Unauthorized: json('Not signed, wrongly signed, or too old.', { $ref: '#/components/schemas/Problem' }),
  Unavailable: json('Not now: called again later with the same idempotency key; Retry-After is heeded.', {
    $ref: '#/components/schemas/Problem',
  }),
};
const problemResponses = {
  401: { $ref: '#/components/responses/Unauthorized' },
  '4XX': { $ref: '#/components/responses/Refused' },
  '5XX': { $ref: '#/components/responses/Unavailable' },
};

function header(name: string, description: string, pattern?: string): Json {
  return {
    name,
    in: 'header',
    required: true,
    description,
    schema: { type: 'string', ...(pattern ? { pattern } : {}) },
  };
}

function json(description: string, schema: Json): Json {
  return { description, ...content(schema) };
}

function content(schema: Json): Json {
  return { content: { 'application/json': { schema } } };
}

/** JSON Schema of `schema`; what has a name goes to `components`, and references follow it there. */
function schemaOf(schema: z.ZodType, components: Json): Json {
  const { $schema: _dialect, $defs = {}, ...own } = z.toJSONSchema(schema, { io: 'input' });
  const moved = JSON.parse(
    JSON.stringify({ own, $defs }).replaceAll('"#/$defs/', '"#/components/schemas/'),
  ) as { own: Json; $defs: Json };
  for (const [name, definition] of Object.entries(moved.$defs)) {
    const { id: _id, ...rest } = definition as Json;
    components[name] = rest;
  }
  const { id: _id, ...rest } = moved.own;
  return rest;
}

function operationId(name: HookName): string {
  return name.replace(/\/(\w)/, (_match, letter: string) => letter.toUpperCase());
}
