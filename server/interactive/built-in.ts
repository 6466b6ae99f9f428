import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Templates } from './branding/templates.ts';
import type { Messages } from './branding/words.ts';
import { LANGUAGES, type Language } from './locale.ts';
import { staticFile, type StaticFile } from './static.ts';

/** What ships with Capstan: locales/, templates/ and static/ beside this file, read once. */
export interface BuiltIn {
  readonly words: ReadonlyMap<Language, Messages>;
  readonly templates: Templates;
  readonly files: readonly StaticFile[];
  /** The text of style.css. */
  readonly sheet: string;
}

/** Of our own locales/, templates/ and static/. */
export const BUILT_IN_FOLDER = import.meta.dirname;

export function readBuiltIn(): BuiltIn {
  const files = read('static').map(({ name, content }) => staticFile(name, content));
  return {
    words: new Map(LANGUAGES.map((lang) => [lang, messagesOf(lang)])),
    templates: new Map(
      read('templates').map(({ name, content }) => [name.replace(/\.liquid$/, ''), content.toString('utf8')]),
    ),
    files,
    sheet: files.find(({ name }) => name === 'style.css')?.content.toString('utf8') ?? '',
  };
}

function read(folder: string): readonly { readonly name: string; readonly content: Buffer }[] {
  const within = path.join(BUILT_IN_FOLDER, folder);
  return readdirSync(within).map((name) => ({ name, content: readFileSync(path.join(within, name)) }));
}

/** Ours: tests hold that each file is one object of texts. */
function messagesOf(lang: Language): Messages {
  return JSON.parse(readFileSync(path.join(BUILT_IN_FOLDER, 'locales', `${lang}.json`), 'utf8')) as Messages;
}
