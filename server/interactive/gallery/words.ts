/**
 * What an integration would write, in two languages: from left to right, and from right to left. The pages' own words
 * come from their locale files.
 */
const WORDS = {
  about: ['About you', 'عنك'],
  guidance: [
    'We are a licensed payment institution and have to know who you are.\n\nHave your identity card at hand; this takes about two minutes.',
    'نحن مؤسسة دفع مرخّصة ويجب أن نتحقق من هويتك.\n\nجهّز بطاقة هويتك؛ يستغرق ذلك دقيقتين تقريبًا.',
  ],
  first: ['First name', 'الاسم الأول'],
  last: ['Last name', 'اسم العائلة'],
  email: ['E-mail', 'البريد الإلكتروني'],
  emailHelp: ['We write only about this transfer.', 'نراسلك بشأن هذا التحويل فقط.'],
  phone: ['Mobile number', 'رقم الهاتف المحمول'],
  birth: ['Date of birth', 'تاريخ الميلاد'],
  age: ['People in your household', 'عدد أفراد أسرتك'],
  note: ['What is the money for?', 'ما الغرض من المال؟'],
  country: ['Nationality', 'الجنسية'],
  address: ['Your address', 'عنوانك'],
  source: ['Where does the money come from?', 'ما مصدر المال؟'],
  salary: ['Salary', 'راتب'],
  savings: ['Savings', 'مدّخرات'],
  sale: ['A sale', 'بيع'],
  speed: ['How shall it arrive?', 'كيف تريد استلامه؟'],
  instant: ['Within a minute', 'خلال دقيقة'],
  ordinary: ['Tomorrow, for less', 'غدًا، بتكلفة أقل'],
  terms: ['I have read and accept the terms.', 'لقد قرأت الشروط وأوافق عليها.'],
  questions: ['Some questions', 'بعض الأسئلة'],
  documents: ['Your documents', 'مستنداتك'],
  payNow: ['Amount', 'المبلغ'],
  document: ['Identity card, front', 'بطاقة الهوية، الوجه الأمامي'],
  documentHelp: ['All four corners have to be in the picture.', 'يجب أن تظهر الزوايا الأربع في الصورة.'],
  selfie: ['A photo of yourself', 'صورة لك'],
  card: ['Pay by card', 'الدفع بالبطاقة'],
  cardNumber: ['Card number', 'رقم البطاقة'],
  cardExpiry: ['Valid until', 'صالحة حتى'],
  cardCode: ['Security code', 'رمز الأمان'],
  onlyOurs: ['This address belongs to somebody else.', 'هذا العنوان يخص شخصًا آخر.'],
  notNow: [
    'We could not check your data. Please correct what is marked.',
    'لم نتمكن من التحقق من بياناتك. يرجى تصحيح المواضع المحددة.',
  ],
  send: ['Send', 'إرسال'],
  beneficiary: ['Beneficiary', 'المستفيد'],
  iban: ['IBAN', 'رقم الآيبان'],
  reference: ['Payment reference', 'مرجع الدفع'],
  payText: [
    'Transfer the amount from an account in your own name. Write the reference exactly as it stands here.',
    'حوّل المبلغ من حساب باسمك. اكتب المرجع تمامًا كما هو هنا.',
  ],
  scan: ['Scan this with the app of your bank', 'امسح هذا الرمز بتطبيق البنك'],
  account: ['Paid out to', 'يُدفع إلى'],
  held: [
    'Your bank has asked us to confirm the sender. We expect its answer by tomorrow evening.',
    'طلب منا مصرفك تأكيد المُرسل. نتوقع رده بحلول مساء الغد.',
  ],
  tooSmall: ['8.00 arrived; at least 10.00 can be processed.', 'وصل 8.00؛ الحد الأدنى للمعالجة هو 10.00.'],
  returned: ['The account that you named has been closed.', 'الحساب الذي ذكرته مغلق.'],
  collect: [
    'Ready at our branch in Lagos, 12 Marina Road, until Friday 17:00. Bring your identity card.',
    'جاهز في فرعنا في لاغوس، 12 طريق مارينا، حتى الجمعة 17:00. أحضر بطاقة هويتك.',
  ],
  unfinished: ['Your photo is still missing.', 'لا تزال صورتك مفقودة.'],
} as const;

export type Phrase = keyof typeof WORDS;

/** The integration's words for the customer's language; English for those that it does not speak. */
export const inLanguage =
  (lang: string) =>
  (phrase: Phrase): string =>
    WORDS[phrase][lang === 'ar' ? 1 : 0];
