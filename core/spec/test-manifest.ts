import { Keypair } from '@stellar/stellar-sdk';
import { stringify } from 'yaml';

/** Plain data that a test may bend before it is written as YAML. */
// oxlint-disable-next-line typescript/no-explicit-any -- a test writes what no type would let it
export type Loose = any;

/** Fresh keys: nothing that signs is ever committed. */
export const testKeys = (): { readonly account: string; readonly seed: string } => {
  const pair = Keypair.random();
  return { account: pair.publicKey(), seed: pair.secret() };
};

/** A right Anchor for testnet with one asset and every required field, as plain data. */
export function testAnchor(): Loose {
  const [signing, issuer, distribution] = [testKeys(), testKeys(), testKeys()];
  return {
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'Anchor',
    metadata: { name: 'harbor', namespace: 'harbor' },
    spec: {
      host: 'anchor.harbor.example',
      network: { name: 'testnet' },
      organization: { name: 'Harbor' },
      signingKey: { account: signing.account, secretRef: { name: 'harbor-keys', key: 'signing' } },
      assets: [
        {
          code: 'SRT',
          issuer: issuer.account,
          distribution: {
            account: distribution.account,
            secretRef: { name: 'harbor-keys', key: 'srt' },
          },
          deposit: { min: '1', max: '10000', fee: { fixed: '1', percent: '0.5' } },
          withdrawal: { min: '1', max: '10000', fee: { fixed: '1' } },
        },
      ],
      integration: { image: 'registry.example/bank:1.2.0' },
      database: { secretRef: { name: 'harbor-db', key: 'url' } },
    },
  };
}

/** Documents as one YAML stream, one field a line. */
export function yamlOf(...documents: readonly unknown[]): string {
  return documents.map((document) => stringify(document, { lineWidth: 0 })).join('---\n');
}
