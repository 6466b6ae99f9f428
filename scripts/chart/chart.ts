import { readFileSync } from 'node:fs';
import { crdYaml, CRD_NAME } from '../../operator/crd/crd.ts';
import { dashboard } from './dashboard.ts';
import { chartReadme } from './readme.ts';
import { describeSchema } from './schema.ts';
import { valueFields } from './values.ts';

export const CHART = new URL('../../helm/capstan/', import.meta.url);

const read = (name: string): string => readFileSync(new URL(name, CHART), 'utf8');
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** The generated files of the chart by their name in it. @param version of the release */
export function chartFiles(version: string): ReadonlyMap<string, string> {
  const fields = valueFields(read('values.yaml'));
  const schema = JSON.parse(read('values.schema.json')) as Record<string, unknown>;
  const chart = read('Chart.yaml')
    .replace(/^version: .*$/m, `version: ${version}`)
    .replace(/^appVersion: .*$/m, `appVersion: ${version}`);
  return new Map([
    ['Chart.yaml', chart],
    ['README.md', chartReadme(fields)],
    ['values.schema.json', json(describeSchema(schema, fields))],
    [`files/${CRD_NAME}.yaml`, crdYaml()],
    ['files/dashboard.json', json(dashboard())],
  ]);
}
