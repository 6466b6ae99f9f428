import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What CycloneDX 1.6 calls a component, as far as it is known here. */
interface Component {
  readonly type: 'application' | 'library';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly object[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly integrity?: string } | undefined>>;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  /** As packages said it before there was SPDX. */
  readonly licenses?: readonly { readonly type: string }[];
}

/**
 * The bill of materials of an image (CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/): the packages whose files are in
 * it, not all that are installed where it is built.
 * @param files below `root`, as a bundler lists what it read
 */
export function billOfMaterials(root: string, files: readonly string[]): object {
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as Lock;
  const folders = new Set(files.flatMap((file) => packageFolder(file) ?? []));
  const components = [...folders].toSorted().map((folder) => component(root, folder, lock));
  const own = manifest(root, '');
  const subject = { ...described(own, 'application'), purl: `pkg:npm/${own.name}@${own.version}` };
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: subject },
    components,
    dependencies: [
      { ref: subject['bom-ref'], dependsOn: components.map((each) => each['bom-ref']) },
      ...components.map((each) => ({ ref: each['bom-ref'] })),
    ],
  };
}

/** `node_modules/a/node_modules/@b/c` of a file in it; undefined for our own. */
function packageFolder(file: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

function component(root: string, folder: string, lock: Lock): Component {
  const integrity = lock.packages[folder]?.integrity;
  const content = integrity === undefined ? undefined : sha512(integrity);
  return {
    ...described(manifest(root, folder), 'library'),
    ...(content !== undefined && { hashes: [{ alg: 'SHA-512', content }] }),
  };
}

function described(given: Manifest, type: Component['type']): Component {
  const { name, version, license = given.licenses?.[0]?.type } = given;
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return { type, 'bom-ref': purl, name, version, purl, ...(license && { licenses: licences(license) }) };
}

/** An SPDX id by itself, or an expression of several. */
const licences = (text: string): readonly object[] =>
  / (?:OR|AND|WITH) /.test(text) ? [{ expression: text }] : [{ license: { id: text } }];

const sha512 = (integrity: string): string | undefined =>
  integrity.startsWith('sha512-') ? Buffer.from(integrity.slice(7), 'base64').toString('hex') : undefined;

const manifest = (root: string, folder: string): Manifest =>
  JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')) as Manifest;
