/** A field of a form as a browser sees it, with the value it would send untouched. */
export interface Field {
  readonly name: string;
  /** An input's type, or `select` or `textarea`. */
  readonly type: string;
  readonly value: string;
  readonly isRequired: boolean;
  readonly isChecked: boolean;
  /** Of a select: what may be chosen. */
  readonly options: readonly string[];
  readonly attributes: Attributes;
}

export interface Form {
  readonly method: 'get' | 'post';
  /** Absolute. */
  readonly action: string;
  readonly fields: readonly Field[];
}

type Attributes = Readonly<Record<string, string>>;

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};
const ATTRIBUTE = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;
const CONTROL = /<(input|select|textarea|button)\b((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
const OPTION = /<option\b((?:[^>"']|"[^"]*"|'[^']*')*)>([\s\S]*?)(?=<\/option>|<option\b|$)/gi;

/**
 * The forms of a page, for a client that plays the browser. It reads the HTML of well-formed pages, not of all that
 * browsers forgive.
 * @param url of the page, to which actions are relative
 */
export function readForms(html: string, url: string): readonly Form[] {
  const source = html.replaceAll(/<!--[\s\S]*?-->|<(script|style|template)\b[\s\S]*?<\/\1>/gi, '');
  return [...source.matchAll(/<form\b((?:[^>"']|"[^"]*"|'[^']*')*)>([\s\S]*?)<\/form>/gi)].map(
    ([, head = '', body = '']) => {
      const { method, action } = readAttributes(head);
      return {
        method: method?.toLowerCase() === 'post' ? 'post' : 'get',
        action: new URL(action || url, url).href,
        fields: readFields(body),
      };
    },
  );
}

function readFields(body: string): readonly Field[] {
  return [...controlsOf(body)].flatMap(({ tag, attributes, content }): Field[] => {
    const { name, disabled } = attributes;
    if (!name || disabled !== undefined) return [];
    const options = tag === 'select' ? readOptions(content) : [];
    return [
      {
        name,
        type:
          tag === 'input' ? (attributes['type']?.toLowerCase() ?? 'text') : tag === 'button' ? 'submit' : tag,
        value: valueOf(tag, attributes, content, options),
        isRequired: attributes['required'] !== undefined,
        isChecked: attributes['checked'] !== undefined,
        options: options.map(({ value }) => value),
        attributes,
      },
    ];
  });
}

function* controlsOf(body: string): Generator<{ tag: string; attributes: Attributes; content: string }> {
  for (const found of body.matchAll(CONTROL)) {
    const [whole, name = '', head = ''] = found;
    const tag = name.toLowerCase();
    const rest = body.slice(found.index + whole.length);
    const end = tag === 'input' ? 0 : rest.search(new RegExp(`</${tag}`, 'i'));
    yield { tag, attributes: readAttributes(head), content: end > 0 ? rest.slice(0, end) : '' };
  }
}

function valueOf(
  tag: string,
  attributes: Attributes,
  content: string,
  options: readonly { value: string; isSelected: boolean }[],
): string {
  if (tag === 'select') return (options.find(({ isSelected }) => isSelected) ?? options[0])?.value ?? '';
  // A browser drops the newline after <textarea>.
  if (tag === 'textarea') return decode(content.replace(/^\r?\n/, ''));
  const isBox = ['checkbox', 'radio'].includes(attributes['type']?.toLowerCase() ?? '');
  return attributes['value'] ?? (isBox ? 'on' : '');
}

function readOptions(content: string): readonly { value: string; isSelected: boolean }[] {
  return [...content.matchAll(OPTION)].map(([, head = '', text = '']) => {
    const attributes = readAttributes(head);
    return {
      value: attributes['value'] ?? decode(text.trim()),
      isSelected: attributes['selected'] !== undefined,
    };
  });
}

function readAttributes(head: string): Attributes {
  return Object.fromEntries(
    [...head.matchAll(ATTRIBUTE)].map(([, name = '', double, single, bare]) => [
      name.toLowerCase(),
      decode(double ?? single ?? bare ?? ''),
    ]),
  );
}

/** The text that a reader sees in a piece of HTML. */
export function textOf(html: string): string {
  const visible = html.replaceAll(/<(script|style|template|head)\b[\s\S]*?<\/\1>|<!--[\s\S]*?-->/gi, ' ');
  return decode(visible.replaceAll(/<[^>]*>/g, ' '))
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** What a page says went wrong: its alerts, else what it shows at all. */
export function complaintOf(html: string): string {
  const [alert] = /<(\w+)\b[^>]*role=["']?alert["']?[^>]*>[\s\S]*?<\/\1>/i.exec(html) ?? [];
  return textOf(alert ?? html).slice(0, 300);
}

function decode(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,8}));/gi, decodeEntity);
}

function decodeEntity(whole: string, decimal?: string, hex?: string, name?: string): string {
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
  if (code <= 0x10_ff_ff) return String.fromCodePoint(code);
  return ENTITIES[name?.toLowerCase() ?? ''] ?? whole;
}
