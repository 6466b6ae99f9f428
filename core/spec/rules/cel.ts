/**
 * Parts of CEL expressions for the API server. Each also holds where the schema alone is broken: the server evaluates
 * rules although a pattern did not match, and an evaluation error would stand beside the message that helps.
 */

/** A text literal. */
export const celText = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** Of two fields that are amounts: the first is at most the second. */
export const celAtMost = (left: string, right: string): string => compared(left, right, '<= 0');

/** Of two fields that are amounts: the first is less than the second. */
export const celBelow = (left: string, right: string): string => compared(left, right, '< 0');

const compared = (left: string, right: string, how: string): string =>
  `(!isQuantity(${left}) || !isQuantity(${right}) || quantity(${left}).compareTo(quantity(${right})) ${how})`;

const PORT_AND_PATH = '(:[0-9]+)?([/?#].*)?$';
const LABEL = '[A-Za-z0-9_-]+';

/**
 * What `isInternal` of networks.ts says: this machine, or a Service of the cluster. Told from the text, for want of a
 * parser of URLs that reads hosts as the one of JavaScript does; so it takes no other spelling of an address.
 */
export const celIsInternal = (url: string): string =>
  `${url}.matches(${celText(`(?i)^http://([[]::1]|127([.][0-9]{1,3}){3}|${LABEL}|${LABEL}([.]${LABEL})*[.]svc([.]cluster[.]local)?)${PORT_AND_PATH}`)})`;
