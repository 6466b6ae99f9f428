/**
 * What only the API server's schema can say, as metadata of a zod schema: `z.toJSONSchema` carries it along and the CRD
 * takes it over. Each check in CEL stands beside the zod check of the same message.
 */

/** Checks of one field, as pairs of a CEL expression over `self` and a message without the full stop. */
export function cel(
  ...rules: readonly (readonly [rule: string, message: string])[]
): Record<string, unknown> {
  return {
    'x-kubernetes-validations': rules.map(([rule, message]) => ({ rule, message: `${message}.` })),
  };
}

/** An object that one field manager owns as a whole, as Kubernetes' own references are. */
export const atomic = { 'x-kubernetes-map-type': 'atomic' } as const;

/** A list whose entries server-side apply tells apart by these fields, each required or with a default. */
export const keyedBy = (...keys: readonly string[]): Record<string, unknown> => ({
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
});

/** A list that is taken as a whole. */
export const atomicList = { 'x-kubernetes-list-type': 'atomic' } as const;

/** A list of scalars, each once. */
export const setList = { 'x-kubernetes-list-type': 'set' } as const;
