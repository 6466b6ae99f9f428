import { isMap, isPair, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml';

/** A value of a chart as its comment tells it. */
export interface ValueField {
  /** `image.repository` */
  readonly path: readonly string[];
  readonly description: string;
  readonly value: unknown;
  /** What it holds is described by fields of its own. */
  readonly isGroup: boolean;
}

/**
 * Every value of a values.yaml in its order, with the comment above it.
 * @throws Error that names a value without a comment
 */
export function valueFields(text: string): readonly ValueField[] {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem) throw problem;
  if (!isMap(document.contents)) throw new Error('values.yaml holds no map');
  return fieldsOf(document.contents, [], document.commentBefore ?? document.contents.commentBefore ?? '');
}

/** @param first the comment above the first entry, which the parser attaches to the map */
function fieldsOf(map: YAMLMap, above: readonly string[], first: string): readonly ValueField[] {
  return map.items.flatMap((pair, index) => fieldOf(pair, above, index === 0 ? first : ''));
}

function fieldOf(pair: Pair, above: readonly string[], comment: string): readonly ValueField[] {
  if (!isPair(pair) || !isScalar(pair.key)) throw new Error(`a key under ${above.join('.')} is no text`);
  const path = [...above, String(pair.key.value)];
  const description = sentence(comment === '' ? (pair.key.commentBefore ?? '') : comment);
  if (description === '') throw new Error(`${path.join('.')} has no comment`);
  const { value } = pair;
  const isDescribed = isMap(value) && value.items.length > 0 && hasComment(value);
  const field = {
    path,
    description,
    isGroup: isDescribed,
    value: isScalar(value) ? value.value : isMap(value) || value ? toJson(value) : null,
  };
  return [field, ...(isDescribed ? fieldsOf(value, path, value.commentBefore ?? '') : [])];
}

function hasComment(map: YAMLMap): boolean {
  const [first] = map.items;
  return Boolean(map.commentBefore) || (isScalar(first?.key) && Boolean(first.key.commentBefore));
}

const toJson = (node: unknown): unknown =>
  typeof node === 'object' && node !== null && 'toJSON' in node && typeof node.toJSON === 'function'
    ? (node.toJSON() as unknown)
    : node;

/** The last paragraph of a comment as one line. */
const sentence = (comment: string): string =>
  (comment.split(/\n\s*\n/).at(-1) ?? '')
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();
