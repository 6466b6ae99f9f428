import { writeFileSync } from 'node:fs';
import { specReference } from '../core/spec/reference.ts';
import { conditionsPage } from '../operator/anchor/conditions-page.ts';

writeFileSync(new URL('../docs/reference/anchor.md', import.meta.url), specReference());
writeFileSync(new URL('../docs/conditions.md', import.meta.url), conditionsPage());
