/** Points that every run has to reach; the list of a run is longer. */
export const REQUIRED: readonly string[] = [];

export function missingPoints(reached: readonly string[]): readonly string[] {
  return REQUIRED.filter((point) => !reached.includes(point));
}
