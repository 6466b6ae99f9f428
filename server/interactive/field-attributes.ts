import { FIELD_VALUE_LIMIT } from '../../core/integration/contract/values.ts';
import { autofillOf, type InputField } from './fields.ts';
import { fileAccept } from './file-types.ts';

/** An HTML attribute of an input. */
export interface FieldAttribute {
  readonly name: string;
  readonly value: string;
}

type Named = Readonly<Record<string, string | number | undefined>>;

/** The attributes of a field's input beside its id, name and value; those that are undefined are not written. */
export function attributesOf(field: InputField): readonly FieldAttribute[] {
  const named: Named = {
    autocomplete: autofillOf(field),
    dir: LEFT_TO_RIGHT.has(field.type) ? 'ltr' : undefined,
    ...ofType(field),
  };
  return Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value: String(value) }],
  );
}

/** These are written from left to right in every language. */
const LEFT_TO_RIGHT: ReadonlySet<string> = new Set(['email', 'tel', 'number', 'card']);

const CARD = {
  number: { autocomplete: 'cc-number', maxlength: 23, placeholder: '0000 0000 0000 0000' },
  expiry: { autocomplete: 'cc-exp', maxlength: 7, placeholder: 'MM/YY' },
  code: { autocomplete: 'cc-csc', maxlength: 4, placeholder: '123' },
} as const;

function ofType(field: InputField): Named {
  switch (field.type) {
    case 'text':
    case 'email':
    case 'tel':
    case 'textarea': {
      const { placeholder, minLength, maxLength = FIELD_VALUE_LIMIT, pattern } = field;
      const hint = field.type === 'textarea' ? undefined : pattern;
      return { placeholder, minlength: minLength, maxlength: maxLength, pattern: hint };
    }
    case 'date':
      return { min: field.min, max: field.max };
    case 'number':
      return { min: field.min, max: field.max, step: field.step ?? 'any' };
    case 'card':
      return { inputmode: 'numeric', 'data-mask': field.part, ...CARD[field.part] };
    case 'file':
      return { accept: fileAccept(field).join(','), capture: field.capture };
    default:
      return {};
  }
}
