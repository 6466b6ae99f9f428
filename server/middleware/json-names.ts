/** Names through which an object's prototype can be reached: no honest body has them. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
const MAX_NESTING = 16;

/** Why a body's property names are refused. */
export type NameFault =
  { readonly kind: 'repeated' | 'forbidden'; readonly name: string } | { readonly kind: 'nested too deeply' };

/** The index just behind the JSON string that starts at `start`. */
function endOfString(json: string, start: number): number {
  let index = start + 1;
  while (json[index] !== '"') index += json[index] === '\\' ? 2 : 1;
  return index + 1;
}

function isPropertyName(json: string, end: number): boolean {
  const colon = /\s*:/y;
  colon.lastIndex = end;
  return colon.test(json);
}

export const isForbiddenName = (name: string): boolean => FORBIDDEN.has(name);

function faultOfName(name: string, names: Set<string> | undefined): NameFault | undefined {
  if (isForbiddenName(name)) return { kind: 'forbidden', name };
  if (names?.has(name) === true) return { kind: 'repeated', name };
  names?.add(name);
  return undefined;
}

/**
 * Finds what JSON.parse would hide: a name that is given twice in one object (the last would win, another reader may
 * take the first), a name that reaches for the prototype, nesting beyond 16.
 *
 * @param json text that JSON.parse has accepted
 */
export function findNameFault(json: string): NameFault | undefined {
  const open: Set<string>[] = [];
  for (let index = 0; index < json.length; index += 1) {
    const character = json[index];
    if (character === '{' || character === '[') {
      if (open.push(new Set()) > MAX_NESTING) return { kind: 'nested too deeply' };
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(json, index);
      const fault = isPropertyName(json, end)
        ? faultOfName(String(JSON.parse(json.slice(index, end))), open.at(-1))
        : undefined;
      if (fault !== undefined) return fault;
      index = end - 1;
    }
  }
  return undefined;
}
