import type { FormPage } from '../../../core/integration/contract.ts';
import type { Summary } from '../flow.ts';
import type { Phrase } from './words.ts';

type Say = (phrase: Phrase) => string;

/** The first of three pages, with what the customer said before. */
export function personPage(say: Say): FormPage {
  return {
    title: say('about'),
    guidance: say('guidance'),
    step: 'person',
    progress: { at: 1, of: 3 },
    fields: [
      {
        type: 'text',
        name: 'first_name',
        label: say('first'),
        required: true,
        autocomplete: 'given-name',
        value: 'Ada',
      },
      {
        type: 'text',
        name: 'last_name',
        label: say('last'),
        required: true,
        autocomplete: 'family-name',
        value: 'Okafor',
      },
      {
        type: 'email',
        name: 'email_address',
        label: say('email'),
        required: true,
        help: say('emailHelp'),
        value: 'ada@example.com',
      },
      { type: 'tel', name: 'mobile_number', label: say('phone'), autocomplete: 'tel', placeholder: '+234 …' },
      { type: 'date', name: 'birth_date', label: say('birth'), required: true, value: '1990-12-10' },
      { type: 'country', name: 'nationality', label: say('country'), required: true, value: 'NGA' },
    ],
  };
}

/** The second: an address, choices, long texts. */
export function detailsPage(say: Say): FormPage {
  return {
    title: say('questions'),
    step: 'details',
    back: 'person',
    progress: { at: 2, of: 3 },
    fields: [
      {
        type: 'address',
        name: 'home',
        label: say('address'),
        required: true,
        value: { city: 'Lagos', address_country_code: 'NGA' },
      },
      {
        type: 'select',
        name: 'source_of_funds',
        label: say('source'),
        required: true,
        options: [
          { value: 'salary', label: say('salary') },
          { value: 'savings', label: say('savings') },
          { value: 'sale', label: say('sale') },
        ],
      },
      {
        type: 'radio',
        name: 'speed',
        label: say('speed'),
        required: true,
        value: 'instant',
        options: [
          { value: 'instant', label: say('instant') },
          { value: 'ordinary', label: say('ordinary') },
        ],
      },
      { type: 'number', name: 'household', label: say('age'), min: '1', max: '20', step: '1' },
      { type: 'textarea', name: 'purpose', label: say('note'), maxLength: 500 },
      { type: 'checkbox', name: 'terms', label: say('terms'), required: true },
    ],
  };
}

/** The third: documents. */
export function documentsPage(say: Say): FormPage {
  return {
    title: say('documents'),
    step: 'documents',
    back: 'details',
    progress: { at: 3, of: 3 },
    submitLabel: say('send'),
    fields: [
      {
        type: 'file',
        name: 'photo_id_front',
        label: say('document'),
        required: true,
        help: say('documentHelp'),
        capture: 'environment',
      },
      {
        type: 'file',
        name: 'selfie',
        label: say('selfie'),
        accept: ['image/jpeg', 'image/png'],
        capture: 'user',
      },
    ],
  };
}

/** A page that asks for the transaction's amount itself, and for a card to take it from. */
export function cardPage(say: Say): FormPage {
  return {
    title: say('card'),
    step: 'card',
    fields: [
      { type: 'amount', name: 'amount', label: say('payNow'), required: true },
      { type: 'card', name: 'card_number', label: say('cardNumber'), part: 'number', required: true },
      { type: 'card', name: 'card_expiry', label: say('cardExpiry'), part: 'expiry', required: true },
      { type: 'card', name: 'card_code', label: say('cardCode'), part: 'code', required: true },
    ],
  };
}

export function summaryOf(say: Say): Summary {
  return [
    { label: say('first'), value: 'Ada', step: 'person' },
    { label: say('last'), value: 'Okafor', step: 'person' },
    { label: say('account'), value: 'GB33 BUKB 2020 1555 5555 55', step: 'details' },
    { label: say('source'), value: say('salary') },
  ];
}
