import { crossRules } from './cross.ts';
import { at, describeFaults, header, status, type Where } from './testing/plant.ts';
import type { Fault } from './testing/tiny-http.ts';

const preflight = (place: string): Where => ({ path: place, method: 'OPTIONS' });
const starHeaders = header('access-control-allow-headers', '*');
const crossFaults: Record<string, Fault> = {
  'cors.preflight.sep24-info': at(preflight('/sep24/info'), starHeaders),
  'cors.preflight.sep24-deposit': at(
    preflight('/sep24/transactions/deposit/interactive'),
    header('access-control-allow-origin'),
  ),
  'cors.preflight.sep24-withdraw': at(preflight('/sep24/transactions/withdraw/interactive'), status(403)),
  'cors.preflight.sep24-transaction': at(preflight('/sep24/transaction'), starHeaders),
  'cors.preflight.sep24-transactions': at(preflight('/sep24/transactions'), starHeaders),
  'cors.answers': at({ path: '/sep24/info' }, header('access-control-allow-origin', 'https://one.example')),
  'cors.errors': at({ path: '/sep24/transactions', status: 400 }, header('access-control-allow-origin')),
  'json.content-type': at({ path: '/sep24/transaction', status: 404 }, header('content-type', 'text/plain')),
  'json.errors': at({ path: '/sep24/transaction', status: 404 }, (answer) => ({
    ...answer,
    body: { message: 'no' },
  })),
};

describeFaults({
  rules: crossRules,
  single: crossFaults,
  several: {
    'a preflight of /auth that allows all headers but Authorization': {
      fault: at(preflight('/auth'), starHeaders),
      broken: ['cors.preflight.sep10-challenge', 'cors.preflight.sep10-token'],
    },
  },
});
