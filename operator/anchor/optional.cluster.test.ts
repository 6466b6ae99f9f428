/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { installOptionalApis } from '../../test/chart/optional-apis.ts';
import { callApi } from '../../test/cluster/api.ts';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { startControlPlane } from '../../test/cluster/control-plane.ts';
import { installCrd } from '../../test/cluster/install.ts';
import { eventually } from '../../test/support/eventually.ts';
import { Harbour, simpleAnchor } from './testing/harness.ts';

// A cluster of its own: its kinds come and go, and the operator looks after all of it.

let cluster: Awaited<ReturnType<typeof startControlPlane>>;
let harbour: Harbour;
beforeAll(async () => {
  cluster = await startControlPlane();
  await installCrd(cluster);
  harbour = await Harbour.open(cluster, 'optional');
  await harbour.operate({ isClusterWide: true });
}, 900_000);
afterAll(async () => {
  await harbour?.close();
  await cluster?.stop();
}, 60_000);

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const LIMIT_MS = 240_000;
const NO_ISSUER =
  'Referenced "ClusterIssuer" not found: clusterissuer.cert-manager.io "letsencrypt" not found';

test(
  'a certificate waits for cert-manager, is made when it comes, followed, and told missing when it is gone again',
  async () => {
    const manifest = await simpleAnchor(harbour, 'harbor');
    manifest.spec.tls = { issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer' } };
    await harbour.apply(manifest);
    await harbour.condition('harbor', 'CertificateReady', 'CertManagerMissing');
    await harbour.condition('harbor', 'ServerReady', 'Available');

    await installOptionalApis(cluster);
    const certificate = await eventually(
      'the Certificate is made',
      () => harbour.get('Certificate', 'harbor-server'),
      60_000,
    );
    expect(certificate.spec).toMatchObject({ secretName: 'harbor-tls', dnsNames: ['harbor.example'] });
    await harbour.condition('harbor', 'CertificateReady', 'Pending');
    await refuse(certificate);
    const refused = await harbour.condition('harbor', 'CertificateReady', 'Failed');
    expect(refused.message).toBe(`cert-manager could not get a certificate: ${NO_ISSUER}.`);
    const conditions = [{ type: 'Ready', status: 'True', reason: 'Ready', message: '' }];
    await harbour.patch(`${harbour.path('Certificate', 'harbor-server')}/status`, { status: { conditions } });
    await harbour.condition('harbor', 'CertificateReady', 'Issued');
    await harbour.quiet();

    await callApi(cluster, 'DELETE', `${DEFINITIONS}/certificates.cert-manager.io`);
    await harbour.condition('harbor', 'CertificateReady', 'CertManagerMissing');
    await harbour.condition('harbor', 'ServerReady', 'Available');
    await harbour.quiet();
  },
  LIMIT_MS,
);

/** As cert-manager does with the request of a Certificate whose issuer does not exist. */
async function refuse({ metadata }: Loose): Promise<void> {
  const { name, uid, labels } = metadata;
  const owner = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', name, uid };
  const path = harbour.path('CertificateRequest');
  await harbour.api('POST', path, {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: { name, labels, ownerReferences: [owner] },
    spec: { request: '' },
  });
  const conditions = [{ type: 'Ready', status: 'False', reason: 'Pending', message: NO_ISSUER }];
  await harbour.patch(`${path}/${name}/status`, { status: { conditions } });
}

test(
  'a route waits for the Gateway API, is made whenever it comes, and told missing whenever it is gone',
  async () => {
    const definition = `${DEFINITIONS}/httproutes.gateway.networking.k8s.io`;
    await callApi(cluster, 'DELETE', definition);
    const manifest = await simpleAnchor(harbour, 'gate');
    manifest.spec.expose = { gateway: { parentRef: { name: 'public' } } };
    await harbour.apply(manifest);
    for (const _time of ['first', 'second']) {
      await harbour.condition('gate', 'ServerReady', 'GatewayApiMissing');
      expect(await harbour.get('HTTPRoute', 'gate-server')).toBeUndefined();
      await installOptionalApis(cluster);
      const route = await eventually(
        'the route is made',
        () => harbour.get('HTTPRoute', 'gate-server'),
        60_000,
      );
      expect(route.spec.hostnames).toEqual(['gate.example']);
      await harbour.condition('gate', 'ServerReady', 'Available');
      await harbour.quiet();
      await callApi(cluster, 'DELETE', definition);
    }
    await harbour.condition('gate', 'ServerReady', 'GatewayApiMissing');
    // What needs no Gateway goes on.
    expect(await harbour.get('Deployment', 'gate-server')).toBeDefined();
    await harbour.quiet();
  },
  LIMIT_MS,
);
