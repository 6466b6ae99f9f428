import type { Kind, Status } from '../../core/transaction/status.ts';

/** What an expired transaction says to its customer, in the languages of the pages. */
const SENTENCES = {
  form: {
    en: 'The form was not completed in time. Please start again.',
    es: 'El formulario no se completó a tiempo. Vuelva a empezar.',
    pt: 'O formulário não foi concluído a tempo. Comece de novo.',
    fr: 'Le formulaire n’a pas été terminé à temps. Veuillez recommencer.',
    id: 'Formulir tidak diselesaikan tepat waktu. Silakan mulai lagi.',
    ar: 'لم يكتمل النموذج في الوقت المحدد. يُرجى البدء من جديد.',
  },
  deposit: {
    en: 'Your payment did not arrive in time. If you have already paid, please contact support.',
    es: 'Su pago no llegó a tiempo. Si ya ha pagado, póngase en contacto con el servicio de asistencia.',
    pt: 'O seu pagamento não chegou a tempo. Se já pagou, entre em contato com o suporte.',
    fr: 'Votre paiement n’est pas arrivé à temps. Si vous avez déjà payé, veuillez contacter l’assistance.',
    id: 'Pembayaran Anda tidak tiba tepat waktu. Jika Anda sudah membayar, silakan hubungi dukungan.',
    ar: 'لم يصل الدفع في الوقت المحدد. إذا كنت قد دفعت بالفعل، يُرجى التواصل مع الدعم.',
  },
  withdrawal: {
    en: 'No tokens arrived in time. Please do not send any now; start again.',
    es: 'No llegaron tokens a tiempo. No los envíe ahora; vuelva a empezar.',
    pt: 'Nenhum token chegou a tempo. Não envie agora; comece de novo.',
    fr: 'Aucun jeton n’est arrivé à temps. N’en envoyez plus maintenant ; veuillez recommencer.',
    id: 'Tidak ada token yang tiba tepat waktu. Jangan kirim sekarang; silakan mulai lagi.',
    ar: 'لم تصل أي رموز في الوقت المحدد. لا ترسلها الآن؛ يُرجى البدء من جديد.',
  },
} as const;

type Language = keyof (typeof SENTENCES)['form'];

const isLanguage = (text: string): text is Language => Object.hasOwn(SENTENCES.form, text);

/** The sentence for a transaction that expires from `status`, in its language (`pt-BR`, `es_419`), else in English. */
export function expiredMessage(transaction: {
  readonly kind: Kind;
  readonly status: Status;
  readonly lang: string;
}): string {
  const { kind, status, lang } = transaction;
  const primary = lang.toLowerCase().split(/[-_]/)[0] ?? '';
  return SENTENCES[status === 'incomplete' ? 'form' : kind][isLanguage(primary) ? primary : 'en'];
}
