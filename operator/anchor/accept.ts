import { checkManifest } from '../../core/spec/manifest.ts';
import { ManifestErrors } from '../../core/spec/problems.ts';
import { API_VERSION, KIND, type AnchorManifest } from '../../core/spec/schema/anchor.ts';
import { conflictOf } from './accounts.ts';
import type { AnchorObject } from './anchor-object.ts';
import { finding, type Finding } from './reasons.ts';

export interface Accepted {
  readonly finding: Finding<'Accepted'>;
  /** Absent: the spec cannot be read, so nothing can be built from it. */
  readonly manifest?: AnchorManifest;
  /** Whether children are written. What runs already is left as it is in any case. */
  readonly isAccepted: boolean;
}

const MOST_TOLD = 5;

/** Checks an Anchor by the rules of the process and against its neighbours: what the API server cannot do, or could not yet. */
export function accept(anchor: AnchorObject, using: (account: string) => readonly AnchorObject[]): Accepted {
  const manifest = manifestOf(anchor);
  if (typeof manifest === 'string') {
    return { finding: finding('Accepted', 'InvalidSpec', manifest), isAccepted: false };
  }
  const conflict = conflictOf(anchor, using);
  if (conflict) {
    const { namespace = '', name } = conflict.other.metadata;
    const detail = `${conflict.account} is used by ${namespace}/${name}, which is older`;
    return { finding: finding('Accepted', 'AccountConflict', detail), manifest, isAccepted: false };
  }
  return { finding: finding('Accepted', 'Valid'), manifest, isAccepted: true };
}

/** The checked manifest, or what is wrong with it. */
function manifestOf({ metadata, spec }: AnchorObject): AnchorManifest | string {
  const { name, namespace } = metadata;
  const value = { apiVersion: API_VERSION, kind: KIND, metadata: { name, namespace }, spec };
  try {
    const { anchors } = checkManifest([{ file: name, documents: [{ value, lineOf: () => 1 }] }]);
    return anchors[0] ?? 'it is no Anchor';
  } catch (error) {
    if (!(error instanceof ManifestErrors)) throw error;
    const told = error.problems.slice(0, MOST_TOLD).map(({ path, message }) => `${path}: ${message}`);
    const more = error.problems.length - told.length;
    return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join(' ');
  }
}
