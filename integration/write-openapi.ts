import { writeFileSync } from 'node:fs';
import { buildOpenApi } from './openapi.ts';

/** Writes `openapi.json` anew: `node integration/write-openapi.ts`. A test holds the committed file equal to it. */
writeFileSync(new URL('openapi.json', import.meta.url), `${JSON.stringify(buildOpenApi(), null, 2)}\n`);
