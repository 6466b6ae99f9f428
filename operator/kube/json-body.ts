/** Line breaks of YAML 1.1 that JSON allows inside a string. */
const YAML_BREAKS = /[\u0085\u2028\u2029]/g;

/**
 * JSON that means the same to a reader of YAML: the API server parses the body of a server-side apply as YAML 1.1, which would
 * fold these line breaks, and the blanks around them, into one blank.
 */
export function jsonBody(value: unknown): string {
  return JSON.stringify(value).replace(
    YAML_BREAKS,
    (character) => String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
