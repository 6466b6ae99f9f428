/** A structural schema (Kubernetes' OpenAPI v3), as plain data. */
export type StructuralSchema = Readonly<Record<string, unknown>>;

/** JSON Schema as zod emits it, read field by field. */
type Node = Readonly<Record<string, unknown>>;

/** Taken over as they are, in the order in which they are written. */
const KEPT = [
  'description',
  'type',
  'format',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
] as const;
const EXTENSIONS = [
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
] as const;
/** What has no counterpart because the server does it by itself (pruning), or is said elsewhere (title: reference). */
const DROPPED = new Set(['$schema', 'title', 'additionalProperties', 'propertyNames', 'properties', 'items']);

/**
 * What `z.toJSONSchema(schema, { io: 'input' })` answers, as a structural schema: no unions but int-or-string, no
 * closed objects (the server prunes, or refuses under strict field validation).
 * @throws {Error} for a part of JSON Schema that it does not know, naming the field: nothing is left out silently.
 */
export function structural(node: Node, path: string): StructuralSchema {
  if (node['x-kubernetes-int-or-string'] === true) return intOrString(node, path);
  for (const key of Object.keys(node)) {
    if (!DROPPED.has(key) && ![...KEPT, ...EXTENSIONS].some((kept) => kept === key))
      throw new Error(`${path}: a structural schema has no ${key}`);
  }
  const { properties, items, additionalProperties } = node;
  return {
    ...picked(node, KEPT),
    // An e-mail address is told by its pattern; the server knows a wider one under this name.
    ...(node['format'] === 'email' && { format: undefined }),
    ...picked(node, EXTENSIONS),
    ...(isNode(items) && { items: structural(items, `${path}[]`) }),
    ...(isNode(properties) && { properties: structuralFields(properties, path) }),
    ...(isNode(additionalProperties) && {
      additionalProperties: structural(additionalProperties, `${path}.*`),
    }),
  };
}

function structuralFields(properties: Node, path: string): StructuralSchema {
  return Object.fromEntries(
    Object.entries(properties).map(([name, field]) => {
      if (!isNode(field)) throw new Error(`${path}.${name}: is no schema`);
      return [name, structural(field, `${path}.${name}`)];
    }),
  );
}

/** Kubernetes' quantities. The server holds the bounds of texts against texts, and those of numbers against numbers. */
function intOrString(node: Node, path: string): StructuralSchema {
  const options = Array.isArray(node['anyOf']) ? (node['anyOf'] as readonly Node[]) : [];
  const [text, number] = ['string', 'integer'].map((kind) => options.find(({ type }) => type === kind));
  if (options.length !== 2 || !text || !number)
    throw new Error(`${path}: int-or-string is a union of the two`);
  return {
    ...picked(node, ['description']),
    'x-kubernetes-int-or-string': true,
    ...picked(text, ['pattern', 'maxLength']),
    ...picked(number, ['minimum', 'maximum']),
  };
}

function picked(node: Node, keys: readonly string[]): StructuralSchema {
  return Object.fromEntries(keys.filter((key) => node[key] !== undefined).map((key) => [key, node[key]]));
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
