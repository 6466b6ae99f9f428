import { sep1Rules } from './sep1.ts';
import { TOML, at, describeFaults, header, status, toml } from './testing/plant.ts';
import type { Fault } from './testing/tiny-http.ts';

const sep1Faults: Record<string, Fault> = {
  'sep1.toml.served': at(TOML, status(500)),
  'sep1.toml.content-type': at(TOML, header('content-type', 'text/html')),
  'sep1.toml.cors': at(TOML, header('access-control-allow-origin')),
  'sep1.toml.size': toml(/$/, `\n# ${'x'.repeat(102_400)}`),
  'sep1.toml.syntax': toml('ORG_NAME = "Tiny"', 'ORG_NAME = Tiny'),
  'sep1.network-passphrase': toml(/NETWORK_PASSPHRASE.*\n/, ''),
  'sep1.signing-key': toml(/SIGNING_KEY.*/, 'SIGNING_KEY = "GBAD"'),
  'sep1.web-auth-endpoint': toml(/WEB_AUTH_ENDPOINT.*\n/, ''),
  'sep1.transfer-server': toml('TRANSFER_SERVER_SEP0024', 'TRANSFER_SERVER'),
  'sep1.urls.https': toml('ACCOUNTS', 'KYC_SERVER = "http://localhost/kyc"\nACCOUNTS'),
  'sep1.urls.trailing-slash': toml('/sep24"', '/sep24/"'),
  'sep1.accounts': toml(/ACCOUNTS.*/, 'ACCOUNTS = ["GBAD"]'),
  'sep1.documentation': toml(/\[DOCUMENTATION\]\nORG_NAME.*\n/, ''),
  'sep1.currencies': toml(/\[\[CURRENCIES\]\][^]*/, ''),
  'sep1.currencies.code': toml(
    '[[CURRENCIES]]',
    '[[CURRENCIES]]\ncode = "MUCHTOOLONGACODE"\nissuer = "GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7"\nstatus = "test"\ndisplay_decimals = 2\ndesc = "x"\nis_asset_anchored = false\n[[CURRENCIES]]',
  ),
  'sep1.currencies.issuer': toml(/^issuer.*\n/m, ''),
  'sep1.currencies.status': toml('"test"', '"alive"'),
  'sep1.currencies.decimals': toml('display_decimals = 2', 'display_decimals = 8'),
  'sep1.currencies.description': toml(/desc.*\n/, ''),
  'sep1.currencies.anchored': toml('"fiat"', '"money"'),
  'sep1.currencies.supply': toml('is_unlimited = true', 'is_unlimited = true\nmax_number = 5'),
};

const movedToml = at(TOML, (answer, { query }) =>
  query.has('moved')
    ? answer
    : { ...answer, status: 302, headers: { ...answer.headers, location: '?moved' } },
);

describeFaults({ rules: sep1Rules, single: { ...sep1Faults, 'sep1.toml.no-redirect': movedToml } });
