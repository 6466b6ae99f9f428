import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const BUILD = fileURLToPath(new URL('../../.build', import.meta.url));

/** Where the browser's package unpacks its Open Sans: under this folder in the one that it unpacks to. */
const LATIN = 'fonts/fonts';

/**
 * A fontconfig of two fonts, whatever the machine has: Open Sans, which comes with the browser, and one with Arabic
 * letters, which it lacks. Every machine then draws the same; and without any font that has a letter, Skia ends the process.
 * @param folder where the browser was unpacked
 * @returns the file, for FONTCONFIG_FILE
 */
export function writeFontConfig(folder: string): string {
  const resolve = createRequire(import.meta.url).resolve;
  const arabic = ['400Regular', '700Bold'].map((weight) =>
    path.dirname(resolve(`@expo-google-fonts/noto-sans-arabic/${weight}/NotoSansArabic_${weight}.ttf`)),
  );
  const folders = [path.join(folder, LATIN), ...arabic];
  const generic = ['sans-serif', 'serif', 'monospace', 'system-ui'].map(
    (family) =>
      `<alias binding="strong"><family>${family}</family><prefer><family>Open Sans</family><family>Noto Sans Arabic</family></prefer></alias>`,
  );
  mkdirSync(BUILD, { recursive: true });
  const file = path.join(BUILD, 'fonts.conf');
  // Another process may be reading it: it is there whole, or as it was.
  const draft = `${file}.${process.pid}`;
  writeFileSync(
    draft,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
${folders.map((each) => `<dir>${each}</dir>`).join('\n')}
<cachedir>${path.join(folder, 'fonts-cache')}</cachedir>
${generic.join('\n')}
</fontconfig>
`,
  );
  renameSync(draft, file);
  return file;
}
