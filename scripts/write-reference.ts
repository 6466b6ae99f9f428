import { writeFileSync } from 'node:fs';
import { specReference } from '../core/spec/reference.ts';

writeFileSync(new URL('../docs/reference/anchor.md', import.meta.url), specReference());
