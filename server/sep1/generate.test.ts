import { describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { anchorOf } from '../testing/anchor.ts';
import { generateToml } from './generate.ts';
import { mergeToml, renderToml, parseToml } from './merge.ts';

describe('generateToml', () => {
  test('names keys, services, the organization and each asset as wallets look them up', () => {
    const anchor = anchorOf((spec) => {
      spec.organization = {
        name: 'Harbor',
        url: 'https://harbor.example',
        supportEmail: 'help@harbor.example',
      };
      Object.assign(spec.assets[0], {
        decimals: 2,
        name: 'Stellar Reference',
        description: 'One dollar at Harbor',
        anchored: { type: 'fiat', asset: 'USD' },
      });
    });
    const [asset] = anchor.assets;
    expect(generateToml(anchor)).toEqual({
      VERSION: '2.7.0',
      NETWORK_PASSPHRASE: 'Test SDF Network ; September 2015',
      SIGNING_KEY: anchor.signingAccount,
      WEB_AUTH_ENDPOINT: 'https://anchor.harbor.example/auth',
      TRANSFER_SERVER_SEP0024: 'https://anchor.harbor.example/sep24',
      ACCOUNTS: [asset?.distributionAccount],
      DOCUMENTATION: {
        ORG_NAME: 'Harbor',
        ORG_URL: 'https://harbor.example',
        ORG_SUPPORT_EMAIL: 'help@harbor.example',
      },
      CURRENCIES: [
        {
          code: 'SRT',
          issuer: asset?.issuer,
          status: 'test',
          display_decimals: 2,
          name: 'Stellar Reference',
          desc: 'One dollar at Harbor',
          is_unlimited: true,
          is_asset_anchored: true,
          anchor_asset_type: 'fiat',
          anchor_asset: 'USD',
        },
      ],
    });
  });

  test('every currency has what wallets require, also one of which little is said', () => {
    const anchor = anchorOf((spec) => {
      const { distribution } = spec.assets[0];
      spec.assets = [...(spec.assets as object[]), { code: 'native', decimals: 7, distribution }];
    });
    const { CURRENCIES: currencies, ACCOUNTS: accounts, DOCUMENTATION: documentation } = generateToml(anchor);
    expect(currencies).toEqual([
      expect.objectContaining({ code: 'SRT', is_asset_anchored: false, anchor_asset_type: 'other' }),
      {
        code: 'native',
        status: 'test',
        display_decimals: 7,
        desc: 'XLM, paid in and out at Harbor',
        is_asset_anchored: false,
        anchor_asset_type: 'crypto',
      },
    ]);
    expect(accounts).toHaveLength(1);
    expect(documentation).toEqual({ ORG_NAME: 'Harbor', ORG_URL: 'https://anchor.harbor.example' });
  });

  test('an asset of the public network is live', () => {
    const anchor = anchorOf((spec) => (spec.network = { name: 'public' }));
    expect(generateToml(anchor)['CURRENCIES']).toEqual([expect.objectContaining({ status: 'live' })]);
  });

  test.each([
    ['testnet, which wallets know', { name: 'testnet' }, undefined],
    ['the local network', { name: 'local', horizon: ['http://127.0.0.1:8000'] }, 'http://127.0.0.1:8000'],
    [
      'a custom network',
      { name: 'custom', passphrase: 'Mine ; 2026', horizon: ['https://h.example/'] },
      'https://h.example',
    ],
  ])('the Horizon URL of %s', (_what, network, expected) => {
    const anchor = anchorOf((spec) => (spec.network = network));
    expect(generateToml(anchor)['HORIZON_URL']).toBe(expected);
  });

  test('what is written is read back the same, with top-level keys before tables', () => {
    const table = generateToml(anchorOf((spec) => (spec.organization.name = 'Harbor "[& Sons]"\\ \u00fc')));
    const text = renderToml(table);
    expect(parseToml(text)).toEqual(table);
    expect(text.indexOf('ACCOUNTS =')).toBeLessThan(text.indexOf('['.concat('DOCUMENTATION]')));
    expect(text).toContain('[[CURRENCIES]]');
  });
});

describe('mergeToml', () => {
  const anchor = anchorOf();
  const base = generateToml(anchor);
  const issuer = anchor.assets[0]?.issuer ?? '';
  const merged = (toml: string) => mergeToml(base, parseToml(toml));

  test('fills tables key by key and leaves the rest', () => {
    const { table, refused } = merged('[DOCUMENTATION]\nORG_DBA = "Harbor Bank"\nORG_NAME = "Harbor Inc."\n');
    expect(refused).toEqual([]);
    expect(table['DOCUMENTATION']).toMatchObject({
      ORG_NAME: 'Harbor Inc.',
      ORG_DBA: 'Harbor Bank',
      ORG_URL: expect.any(String),
    });
    expect(table['CURRENCIES']).toEqual(base['CURRENCIES']);
  });

  test('merges a currency by code and issuer; the same code of another issuer is another currency', () => {
    const other = Keypair.random().publicKey();
    const { table } = merged(
      `[[CURRENCIES]]\ncode = "SRT"\nissuer = "${issuer}"\nmax_number = 1000\ndesc = "Ours"\n` +
        `[[CURRENCIES]]\ncode = "SRT"\nissuer = "${other}"\n[[CURRENCIES]]\ntoml = "https://harbor.example/EUR.toml"\n`,
    );
    const currencies = table['CURRENCIES'] as Record<string, unknown>[];
    expect(currencies).toHaveLength(3);
    expect(currencies[0]).toMatchObject({ issuer, desc: 'Ours', max_number: 1000, display_decimals: 2 });
    expect(currencies[0]).not.toHaveProperty('is_unlimited');
    expect(currencies[1]).toEqual({ code: 'SRT', issuer: other });
  });

  test.each(['NETWORK_PASSPHRASE', 'SIGNING_KEY', 'WEB_AUTH_ENDPOINT', 'TRANSFER_SERVER_SEP0024'])(
    '%s stays as generated, and the attempt is told',
    (key) => {
      const { table, refused } = merged(
        `${key} = "https://elsewhere.example"\nFEDERATION_SERVER = "https://f.example"`,
      );
      expect(table[key]).toBe(base[key]);
      expect(refused).toEqual([key]);
      expect(table['FEDERATION_SERVER']).toBe('https://f.example');
    },
  );

  test('accounts are added, principals replaced', () => {
    const mine = Keypair.random().publicKey();
    const { table } = merged(`ACCOUNTS = ["${mine}"]\n[[PRINCIPALS]]\nname = "Ada"`);
    expect(table['ACCOUNTS']).toEqual([anchor.assets[0]?.distributionAccount, mine]);
    expect(table['PRINCIPALS']).toEqual([{ name: 'Ada' }]);
  });

  test('a key __proto__ reaches no prototype', () => {
    const { table } = mergeToml(
      base,
      JSON.parse(
        '{"__proto__":{"polluted":true},"DOCUMENTATION":{"__proto__":{"polluted":true}}}',
      ) as object as Record<string, unknown>,
    );
    expect('polluted' in {}).toBe(false);
    expect((table['DOCUMENTATION'] as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('renderToml', () => {
  test.each([
    ['above 100 KB', { DESCRIPTION: 'x'.repeat(102_400) }, 'wallets read 102400'],
    ['with a list of mixed kinds', { A: { B: [1, 'x'] } }, 'the list A.B mixes kinds'],
    ['with a list of integers and floats', { A: [1, 2.5] }, 'the list A mixes kinds'],
    ['with null', { A: [{ B: null }] }, 'A[0].B is null'],
  ])('refuses a text %s', (_what, table, why) => {
    expect(() => renderToml(table)).toThrow(why);
  });

  test('refuses no TOML, with the place', () => {
    expect(() => parseToml('A = = 1')).toThrow('it is no TOML');
  });
});
