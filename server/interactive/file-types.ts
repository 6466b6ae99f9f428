import type { FILE_TYPES } from '../../core/integration/contract/form.ts';
import type { InputField } from './fields.ts';
import type { Translator } from './locale.ts';

export type FileType = (typeof FILE_TYPES)[number];
export type FileField = Extract<InputField, { type: 'file' }>;

const DEFAULT_TYPES: readonly FileType[] = ['image/jpeg', 'image/png', 'application/pdf'];
const DEFAULT_MAX_BYTES = 5 * 1024 * 1024;
const NAMES: Readonly<Record<FileType, string>> = {
  'image/jpeg': 'JPEG',
  'image/png': 'PNG',
  'image/webp': 'WebP',
  'application/pdf': 'PDF',
};

export const fileAccept = ({ accept }: Pick<FileField, 'accept'>): readonly FileType[] =>
  accept ?? DEFAULT_TYPES;
export const fileMaxBytes = ({ maxBytes }: Pick<FileField, 'maxBytes'>): number =>
  maxBytes ?? DEFAULT_MAX_BYTES;

/** What a field says about the files that it takes. */
export interface FileTerms {
  readonly hint: string;
  readonly maxBytes: number;
  readonly tooLarge: string;
}

export function fileTerms(field: FileField, translator: Translator): FileTerms {
  const maxBytes = fileMaxBytes(field);
  const max = translator.bytes(maxBytes);
  return {
    hint: translator.t('file.hint', { types: typeNames(field), max }),
    maxBytes,
    tooLarge: translator.t('error.file.large', { max }),
  };
}

export function typeNames(field: Pick<FileField, 'accept'>): string {
  return fileAccept(field)
    .map((type) => NAMES[type])
    .join(', ');
}

/** Bytes that are enough to tell any of the types. */
export const MAGIC_BYTES = 12;

/** The type of a file by its first bytes, whatever its name and its sender say; undefined for any other. */
export function sniff(head: Buffer): FileType | undefined {
  const starts = (...bytes: number[]): boolean => bytes.every((byte, index) => head[index] === byte);
  if (starts(0xff, 0xd8, 0xff)) return 'image/jpeg';
  if (starts(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'image/png';
  const text = head.toString('latin1', 0, MAGIC_BYTES);
  if (text.startsWith('RIFF') && text.slice(8) === 'WEBP') return 'image/webp';
  return text.startsWith('%PDF-') ? 'application/pdf' : undefined;
}
