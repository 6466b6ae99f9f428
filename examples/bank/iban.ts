/**
 * The account of a customer (0: the bank's own) as an IBAN: "XX" (a country that does not exist), two check digits
 * (ISO 13616, modulo 97), "CPST" and ten digits.
 */
export function ibanOf(number: number): string {
  const account = `CPST${String(number).padStart(10, '0')}`;
  const digits = `${account}XX00`.replace(/[A-Z]/g, (letter) => String(Number.parseInt(letter, 36)));
  const check = String(98n - (BigInt(digits) % 97n)).padStart(2, '0');
  return `XX${check}${account}`.replace(/(.{4})(?=.)/g, '$1 ');
}
