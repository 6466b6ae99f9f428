import type { Language } from '../interactive/locale.ts';

/**
 * The refusals that a wallet shows to its customer, in every language of the pages (SEP-24: errors are in the language of
 * the request). What only a wallet's developer can cause, such as a malformed parameter, stays English.
 */
const SENTENCES = {
  amount_too_small: {
    en: 'The amount is too small: the least is {limit} {asset}.',
    es: 'El importe es demasiado pequeño: el mínimo es {limit} {asset}.',
    pt: 'O valor é muito baixo: o mínimo é {limit} {asset}.',
    fr: 'Le montant est trop petit : le minimum est de {limit} {asset}.',
    id: 'Jumlahnya terlalu kecil: minimal {limit} {asset}.',
    ar: 'المبلغ صغير جدًا: الحد الأدنى هو {limit} {asset}.',
  },
  amount_too_large: {
    en: 'The amount is too large: the most is {limit} {asset}.',
    es: 'El importe es demasiado grande: el máximo es {limit} {asset}.',
    pt: 'O valor é muito alto: o máximo é {limit} {asset}.',
    fr: 'Le montant est trop élevé : le maximum est de {limit} {asset}.',
    id: 'Jumlahnya terlalu besar: maksimal {limit} {asset}.',
    ar: 'المبلغ كبير جدًا: الحد الأقصى هو {limit} {asset}.',
  },
  too_many_decimals: {
    en: 'The amount has too many decimals: {asset} takes at most {limit}.',
    es: 'El importe tiene demasiados decimales: {asset} admite {limit} como máximo.',
    pt: 'O valor tem casas decimais demais: {asset} aceita no máximo {limit}.',
    fr: 'Le montant a trop de décimales : {asset} en accepte {limit} au plus.',
    id: 'Jumlahnya memiliki terlalu banyak angka desimal: {asset} menerima paling banyak {limit}.',
    ar: 'عدد المنازل العشرية في المبلغ كبير جدًا: الحد الأقصى لـ {asset} هو {limit}.',
  },
  nothing_left: {
    en: 'The amount is too small: the fee of {limit} {asset} would leave nothing of it.',
    es: 'El importe es demasiado pequeño: la comisión de {limit} {asset} no dejaría nada.',
    pt: 'O valor é muito baixo: a taxa de {limit} {asset} não deixaria nada.',
    fr: 'Le montant est trop petit : les frais de {limit} {asset} n’en laisseraient rien.',
    id: 'Jumlahnya terlalu kecil: biaya {limit} {asset} akan menghabiskan semuanya.',
    ar: 'المبلغ صغير جدًا: رسوم {limit} {asset} لن تُبقي منه شيئًا.',
  },
  asset_not_offered: {
    en: 'This asset is not offered here.',
    es: 'Este activo no se ofrece aquí.',
    pt: 'Este ativo não é oferecido aqui.',
    fr: 'Cet actif n’est pas proposé ici.',
    id: 'Aset ini tidak tersedia di sini.',
    ar: 'هذا الأصل غير متاح هنا.',
  },
  deposit_disabled: {
    en: 'Deposits of {asset} are not offered at the moment.',
    es: 'Los depósitos de {asset} no están disponibles en este momento.',
    pt: 'Depósitos de {asset} não estão disponíveis no momento.',
    fr: 'Les dépôts de {asset} ne sont pas proposés pour le moment.',
    id: 'Setoran {asset} tidak tersedia saat ini.',
    ar: 'إيداع {asset} غير متاح حاليًا.',
  },
  withdrawal_disabled: {
    en: 'Withdrawals of {asset} are not offered at the moment.',
    es: 'Los retiros de {asset} no están disponibles en este momento.',
    pt: 'Saques de {asset} não estão disponíveis no momento.',
    fr: 'Les retraits de {asset} ne sont pas proposés pour le moment.',
    id: 'Penarikan {asset} tidak tersedia saat ini.',
    ar: 'سحب {asset} غير متاح حاليًا.',
  },
  account_not_found: {
    en: 'The destination account does not exist on the ledger yet: create it first.',
    es: 'La cuenta de destino aún no existe en la red: créela primero.',
    pt: 'A conta de destino ainda não existe na rede: crie-a primeiro.',
    fr: 'Le compte de destination n’existe pas encore sur le réseau : créez-le d’abord.',
    id: 'Akun tujuan belum ada di jaringan: buatlah terlebih dahulu.',
    ar: 'حساب الوجهة غير موجود على الشبكة بعد: أنشئه أولًا.',
  },
  transaction_not_found: {
    en: 'There is no such transaction.',
    es: 'No existe esa transacción.',
    pt: 'Essa transação não existe.',
    fr: 'Cette transaction n’existe pas.',
    id: 'Transaksi tersebut tidak ada.',
    ar: 'لا توجد معاملة كهذه.',
  },
} as const satisfies Record<string, Record<Language, string>>;

export type SentenceKey = keyof typeof SENTENCES;

export function isSentenceKey(key: string): key is SentenceKey {
  return Object.hasOwn(SENTENCES, key);
}

/** The sentence in `language`, with `{limit}` (a plain decimal) and `{asset}` (a code, or `native`) filled in. */
export function say(
  key: SentenceKey,
  language: Language,
  values: { readonly limit?: string; readonly asset?: string } = {},
): string {
  return SENTENCES[key][language]
    .replace('{limit}', values.limit ?? '')
    .replace('{asset}', values.asset === 'native' ? 'XLM' : (values.asset ?? ''));
}
