import { readFileSync, writeFileSync } from 'node:fs';
import { systemClock } from '../core/runtime/clock.ts';
import { createLog } from '../core/runtime/log.ts';
import { specReference } from '../core/spec/reference.ts';
import { conditionsPage } from '../operator/anchor/conditions-page.ts';
import { NO_BRANDING } from '../server/interactive/branding/branding.ts';
import { readBuiltIn } from '../server/interactive/built-in.ts';
import { brandingPage } from '../server/interactive/gallery/branding-page.ts';
import { createGallery } from '../server/interactive/gallery/gallery.ts';
import { sampleAnchor } from '../server/interactive/gallery/sample-anchor.ts';
import { variablesOf } from '../server/interactive/gallery/variables.ts';

writeFileSync(new URL('../docs/reference/anchor.md', import.meta.url), specReference());
writeFileSync(new URL('../docs/conditions.md', import.meta.url), conditionsPage());

const builtIn = readBuiltIn();
const log = createLog({ name: 'reference', level: 'silent' });
const gallery = createGallery({
  anchor: sampleAnchor(),
  branding: NO_BRANDING,
  builtIn,
  clock: systemClock,
  log,
});
const page = new URL('../docs/branding.md', import.meta.url);
writeFileSync(page, brandingPage(readFileSync(page, 'utf8'), builtIn, await variablesOf(gallery)));
