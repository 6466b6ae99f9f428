/** Beyond so many different values the list is begun anew; what was handed out stays shared. */
const MOST_KNOWN = 10_000;

/**
 * Hands out one copy of what many objects say alike, such as labels and owners, so that caches hold it once. Values are plain
 * JSON that nobody changes.
 */
export function createSharing(most = MOST_KNOWN): <T extends object>(value: T) => T {
  const known = new Map<string, object>();
  return <T extends object>(value: T): T => {
    const text = JSON.stringify(value);
    const same = known.get(text);
    if (same) return same as T;
    if (known.size >= most) known.clear();
    known.set(text, value);
    return value;
  };
}
