/** Looks until `look` answers something truthy, and answers that. @throws after `withinMs`, saying what was waited for */
export async function eventually<T>(
  what: string,
  look: () => Promise<T> | T,
  withinMs = 10_000,
  everyMs = 20,
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const until = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found) return found as Exclude<T, undefined | null | false | 0 | ''>;
    if (Date.now() > until) throw new Error(`it did not come to pass that ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, everyMs));
  }
}
