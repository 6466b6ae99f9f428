import type { AuditedRequest } from '../cluster/access.ts';

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const right = (group: string, resource: string, verb: string): string =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}`;

/** Each right of some roles by itself: `patch deployments.apps`. */
export function granted(rules: readonly Rule[]): ReadonlySet<string> {
  return new Set(
    rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => right(group, resource, verb))),
      ),
    ),
  );
}

/** The rights that some requests took. An apply that made its object took `create` as well. */
export function used(requests: readonly AuditedRequest[]): ReadonlySet<string> {
  return new Set(
    requests.flatMap(({ apiGroup, resource, verb, status }) => [
      right(apiGroup, resource, verb),
      ...(verb === 'patch' && status === 201 ? [right(apiGroup, resource, 'create')] : []),
    ]),
  );
}

export const without = (all: ReadonlySet<string>, some: ReadonlySet<string>): string[] =>
  [...all].filter((one) => !some.has(one)).toSorted();
