import { stringify } from 'yaml';
import * as z from 'zod';
import { rules } from '../../core/spec/rules.ts';
import type { Rule, Scope } from '../../core/spec/rules.ts';
import {
  ANCHOR_NAME,
  ANCHOR_NAME_MESSAGE,
  ANCHOR_NAME_TOO_LONG,
  anchorSpec,
  API_VERSION,
  KIND,
} from '../../core/spec/schema/anchor.ts';
import { anchorStatus } from './status.ts';
import { structural } from './structural.ts';
import type { StructuralSchema } from './structural.ts';

const [GROUP = '', VERSION = ''] = API_VERSION.split('/');
export const PLURAL = 'anchors';
export const CRD_NAME = `${PLURAL}.${GROUP}`;

const HEADER = `# Generated from core/spec and operator/crd by "make generate"; a test compares the two.\n`;

/** The CustomResourceDefinition as the YAML that is committed under crds/. */
export function crdYaml(): string {
  return HEADER + stringify(anchorCrd(), { lineWidth: 0, aliasDuplicateObjects: false });
}

/** The CustomResourceDefinition of Anchor. One version, stored. */
export function anchorCrd(): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: CRD_NAME },
    spec: {
      group: GROUP,
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: 'anchor',
        shortNames: ['anc'],
        categories: ['stellar'],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: anchorSchema() },
          additionalPrinterColumns: COLUMNS,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.server.replicas',
              statusReplicasPath: '.status.server.replicas',
              labelSelectorPath: '.status.server.selector',
            },
          },
        },
      ],
    },
  };
}

const column = (name: string, jsonPath: string, description: string, more: object = {}): object => ({
  name,
  type: 'string',
  jsonPath,
  description,
  ...more,
});
const ready = (field: string): string => `.status.conditions[?(@.type=="Ready")].${field}`;

/** What someone on call needs to see; the last two with `-o wide`. */
const COLUMNS = [
  column('Ready', ready('status'), 'Whether all is well.'),
  column('Network', '.spec.network.name', 'Stellar network.'),
  column('Assets', '.status.assetCodes', 'Codes of the assets.'),
  column('Host', '.spec.host', 'Where wallets reach the anchor.'),
  column('Server', '.status.server.summary', 'Ready of wanted copies of the server.'),
  column('Version', '.status.versions.server', 'Release that serves.'),
  column('Age', '.metadata.creationTimestamp', 'Time since it was created.', { type: 'date' }),
  column('Reason', ready('reason'), 'Why Ready is what it is.', { priority: 1 }),
  column('Message', ready('message'), 'The same in a sentence.', { priority: 1 }),
];

function anchorSchema(): StructuralSchema {
  const spec = withRules(fromZod(anchorSpec, 'spec'), rules);
  return {
    type: 'object',
    description: 'A Stellar anchor: SEP-24 server, watcher of the ledger and hot wallet, as one resource.',
    required: ['spec'],
    'x-kubernetes-validations': [
      { rule: 'self.metadata.name.size() <= 30', message: `metadata.name ${ANCHOR_NAME_TOO_LONG}.` },
      {
        rule: `self.metadata.name.matches('${ANCHOR_NAME.source}')`,
        message: `metadata.name ${ANCHOR_NAME_MESSAGE}.`,
      },
    ],
    properties: {
      apiVersion: { type: 'string', description: 'Version of this schema.' },
      kind: { type: 'string', description: 'Kind of the resource.' },
      metadata: { type: 'object' },
      spec: { ...spec, description: 'What the anchor is to be.' },
      status: fromZod(anchorStatus, 'status'),
    },
  };
}

function fromZod(schema: z.ZodType, path: string): StructuralSchema {
  return structural(z.toJSONSchema(schema, { io: 'input' }) as Record<string, unknown>, path);
}

/** Puts the rules between fields where their `self` is. */
function withRules(spec: StructuralSchema, all: readonly Rule[]): StructuralSchema {
  return SCOPES.reduce<StructuralSchema>(
    (schema, [scope, steps]) =>
      changed(schema, steps, (at) => ({
        ...at,
        'x-kubernetes-validations': [
          ...((at['x-kubernetes-validations'] as readonly object[] | undefined) ?? []),
          ...all
            .filter((rule) => rule.scope === scope)
            .flatMap(({ cel, message }) => cel.map((one) => ({ ...one, message }))),
        ],
      })),
    spec,
  );
}

/** Each scope with the way to its schema. */
const SCOPES: readonly (readonly [Scope, readonly string[]])[] = [
  ['spec', []],
  ['spec.assets[*]', ['properties', 'assets', 'items']],
  ['spec.assets[*].deposit', ['properties', 'assets', 'items', 'properties', 'deposit']],
  ['spec.assets[*].withdrawal', ['properties', 'assets', 'items', 'properties', 'withdrawal']],
];

/** A copy in which the schema at the end of the way is changed. */
function changed(
  schema: StructuralSchema,
  [step, ...rest]: readonly string[],
  change: (schema: StructuralSchema) => StructuralSchema,
): StructuralSchema {
  if (step === undefined) return change(schema);
  const next = schema[step];
  if (typeof next !== 'object' || next === null) throw new Error(`the schema has no ${step}`);
  return { ...schema, [step]: changed(next as StructuralSchema, rest, change) };
}
