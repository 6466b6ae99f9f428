import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';
import { isRecord } from '../../core/spec/guards.ts';

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
  const { contents } = document;
  if (!isMap(contents)) throw new Error('values.yaml holds no map');
  const values: unknown = document.toJS();
  return fieldsOf(contents, values, [], document.commentBefore ?? contents.commentBefore ?? '');
}

/**
 * @param values what the map holds
 * @param first the comment above the first entry, which the parser attaches to the map
 */
function fieldsOf(
  map: YAMLMap,
  values: unknown,
  above: readonly string[],
  first: string,
): readonly ValueField[] {
  return map.items.flatMap(({ key, value: node }, index) => {
    if (!isScalar(key) || !isRecord(values)) throw new Error(`a key under ${above.join('.')} is no text`);
    const path = [...above, String(key.value)];
    const value = values[String(key.value)];
    const description = sentence((index === 0 && first) || (key.commentBefore ?? ''));
    if (description === '') throw new Error(`${path.join('.')} has no comment`);
    if (!isMap(node) || !hasComment(node)) return [{ path, description, value, isGroup: false }];
    const inner = fieldsOf(node, value, path, node.commentBefore ?? '');
    return [{ path, description, value, isGroup: true }, ...inner];
  });
}

function hasComment({ commentBefore, items: [first] }: YAMLMap): boolean {
  return Boolean(commentBefore) || (isScalar(first?.key) && Boolean(first.key.commentBefore));
}

/** The last paragraph of a comment as one line. */
const sentence = (comment: string): string =>
  (comment.split(/\n\s*\n/).at(-1) ?? '')
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();
