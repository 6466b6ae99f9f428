import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { eventually } from '../support/eventually.ts';
import { callApi } from './api.ts';
import type { ApiAccess, ApiAnswer } from './api.ts';

const CRD_FILE = new URL('../../crds/anchors.capstan.dev.yaml', import.meta.url);
const CRD = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/anchors.capstan.dev';
const ANCHORS = '/apis/capstan.dev/v1alpha1';

/** Applies the committed CRD, as often as one likes, and waits until the server serves it. */
export async function installCrd(cluster: ApiAccess): Promise<void> {
  const path = `${CRD}?fieldManager=test&force=true&fieldValidation=Strict`;
  const body = parse(readFileSync(CRD_FILE, 'utf8')) as object;
  const { status, body: answer } = await callApi(
    cluster,
    'PATCH',
    path,
    body,
    'application/apply-patch+yaml',
  );
  if (status !== 200 && status !== 201)
    throw new Error(`the API server refused the CRD: ${JSON.stringify(answer)}`);
  await eventually('Anchors are served', async () => {
    return (await callApi(cluster, 'GET', `${ANCHORS}/anchors?limit=1`)).status === 200;
  });
}

/** The path of the Anchors of a namespace, or of one of them, or of its subresource. */
export function anchorsPath(namespace: string, name = '', subresource = ''): string {
  return [`${ANCHORS}/namespaces/${namespace}/anchors`, name, subresource].filter(Boolean).join('/');
}

/** Asks the server whether it would take a manifest, unknown fields refused, and keeps nothing of it. */
export async function dryRun(cluster: ApiAccess, namespace: string, anchor: object): Promise<ApiAnswer> {
  const path = `${anchorsPath(namespace)}?dryRun=All&fieldValidation=Strict`;
  return callApi(cluster, 'POST', path, anchor);
}
