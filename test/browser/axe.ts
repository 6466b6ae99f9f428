import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe finds wrong on the page, as one line each. @param rules all, if left out */
export async function violationsOf(page: Page, rules?: readonly string[]): Promise<string[]> {
  const options = {
    resultTypes: ['violations'],
    ...(rules && { runOnly: { type: 'rule', values: rules } }),
  };
  // Not a script of the page, which its policy would refuse: the browser's own isolated world.
  const found = await page.evaluate(
    `if (!globalThis.axe) { ${AXE} }; axe.run(document, ${JSON.stringify(options)})`,
  );
  return (found as { violations: Violation[] }).violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
  );
}
