import type { z } from 'zod';

/**
 * Says in one line what is wrong with a value, without showing any of it: paths and rules, never contents. Keys are
 * shown only where they look like names, for a key of a record may be anything.
 */
export function describeProblem(error: z.ZodError): string {
  return describeIssues(error.issues);
}

const SHOWN_ISSUES = 3;
const NAME = /^[A-Za-z_][\w.]{0,40}$/;

function describeIssues(issues: readonly z.core.$ZodIssue[], parents: readonly PropertyKey[] = []): string {
  const described = issues.slice(0, SHOWN_ISSUES).map((issue) => describeIssue(issue, parents));
  const more = issues.length - described.length;
  return described.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

function describeIssue(issue: z.core.$ZodIssue, parents: readonly PropertyKey[]): string {
  const path = [...parents, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return describeIssues(closestBranch(issue.errors), path);
  }
  const what =
    issue.code === 'unrecognized_keys'
      ? `has keys that the contract does not know: ${issue.keys.slice(0, SHOWN_ISSUES).map(showKey).join(', ')}`
      : `${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1, 300)}`;
  return `${path.length === 0 ? 'the object' : path.map(showKey).join('.')}: ${what}`;
}

/** Of the branches of a union, the one that was most likely meant: the fewest keys unknown, then the fewest issues. */
function closestBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const distance = (branch: readonly z.core.$ZodIssue[]): number =>
    branch.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 10 * issue.keys.length : 1), 0);
  return [...branches].sort((one, other) => distance(one) - distance(other))[0] ?? [];
}

function showKey(key: PropertyKey): string {
  return typeof key === 'number' || (typeof key === 'string' && NAME.test(key)) ? String(key) : '(a key)';
}
