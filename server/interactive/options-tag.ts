import {
  Tag,
  Value,
  type Context,
  type Emitter,
  type Liquid,
  type TagToken,
  type TopLevelToken,
} from 'liquidjs';

/**
 * `{% options field.options %}`: the options of a select, escaped. A loop in the template writes the same; of 250 countries
 * it takes longer than all else on a page.
 */
export class OptionsTag extends Tag {
  readonly #list: Value;

  constructor(token: TagToken, remainTokens: TopLevelToken[], liquid: Liquid) {
    super(token, remainTokens, liquid);
    this.#list = new Value(token.args, liquid);
  }

  override *render(context: Context, emitter: Emitter): Generator<unknown, void, unknown> {
    const options = yield this.#list.value(context);
    if (Array.isArray(options)) emitter.write(options.map(optionHtml).join(''));
  }

  /** For checks of templates that draw nothing. */
  *arguments(): Generator<Value> {
    yield this.#list;
  }
}

function optionHtml(option: unknown): string {
  const { value, label, isChosen } = option as { value?: unknown; label?: unknown; isChosen?: unknown };
  return `<option value="${escape(value)}"${isChosen === true ? ' selected' : ''}>${escape(label)}</option>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

const escape = (text: unknown): string =>
  typeof text === 'string' ? text.replaceAll(/[&<>"']/g, (mark) => ENTITIES[mark] ?? '') : '';
