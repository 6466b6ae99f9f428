import * as z from 'zod';
import { host, text, url } from './common.ts';
import { atomicList, setList } from './kubernetes.ts';

/** Without look-arounds, which the API server's regular expressions lack. */
const EMAIL =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/;

export const network = z
  .strictObject({
    name: z
      .enum(['public', 'testnet', 'local', 'custom'])
      .describe('Stellar network: public, testnet, local (the ledger of `capstan ledger`) or custom.'),
    passphrase: text(256)
      .exactOptional()
      .describe('Network passphrase. Required for custom, allowed for local, known for public and testnet.'),
    horizon: z
      .array(url('https', 'http').describe('Base URL of a Horizon server.'))
      .min(1)
      .max(4)
      .meta(atomicList)
      .exactOptional()
      .describe(
        'Horizon servers in order of preference. Required for custom; else the network has one. https, but for a local ledger or a custom one inside the cluster.',
      ),
    requestsPerSecond: z
      .number()
      .min(0.1)
      .max(100_000)
      .exactOptional()
      .describe(
        "Most requests a second to Horizon, of each process. If left out: 1 with a Horizon of the SDF (horizon.stellar.org, horizon-testnet.stellar.org), else 1000. Customers' sign-ins get 30 % of it at most.",
      ),
  })
  .describe('The Stellar network that the anchor works on.');

export const organization = z
  .strictObject({
    name: text(128).describe('Name that wallets and customers see (ORG_NAME).'),
    url: url('https').exactOptional().describe('Home page (ORG_URL).'),
    supportEmail: z
      .email({ error: 'must be an e-mail address', pattern: EMAIL })
      .max(254)
      .exactOptional()
      .describe('Where customers write to (ORG_SUPPORT_EMAIL).'),
    logo: url('https').exactOptional().describe('URL of a PNG logo (ORG_LOGO).'),
    description: text(1024)
      .exactOptional()
      .describe('One or two sentences about the business (ORG_DESCRIPTION).'),
  })
  .describe('Who runs the anchor; the [DOCUMENTATION] table of stellar.toml.');

export const homeDomains = z
  .array(host.describe('Host whose stellar.toml names this anchor.'))
  .min(1)
  .max(16)
  .meta(setList)
  .exactOptional()
  .describe('Domains that wallets may sign in for (SEP-10 home_domain). The host alone, if left out.');
