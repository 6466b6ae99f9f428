import * as z from 'zod';
import { annotations, objectName, text } from './common.ts';

export const tls = z
  .strictObject({
    issuerRef: z
      .strictObject({
        name: objectName.describe('Name of the issuer.'),
        kind: z.enum(['Issuer', 'ClusterIssuer']).default('Issuer').describe('Kind of the issuer.'),
        group: objectName.default('cert-manager.io').describe('API group of the issuer.'),
      })
      .exactOptional()
      .describe('cert-manager issuer that makes the certificate of the host. Either this or secretName.'),
    secretName: objectName
      .exactOptional()
      .describe(
        'Secret of type kubernetes.io/tls with the certificate of the host. Either this or issuerRef.',
      ),
  })
  .describe('Certificate of the host. `capstan dev` makes its own.');

export const expose = z
  .strictObject({
    ingress: z
      .strictObject({
        className: objectName.exactOptional().describe("Ingress class. The cluster's default, if left out."),
        annotations: annotations.exactOptional(),
      })
      .exactOptional()
      .describe('Through an Ingress.'),
    gateway: z
      .strictObject({
        parentRef: z
          .strictObject({
            name: objectName.describe('Name of the Gateway.'),
            namespace: objectName.exactOptional().describe("Its namespace. The Anchor's own, if left out."),
            sectionName: objectName.exactOptional().describe('Name of its listener.'),
          })
          .describe('The Gateway.'),
        annotations: annotations.exactOptional(),
      })
      .exactOptional()
      .describe('Through a Gateway (Gateway API, HTTPRoute).'),
    service: z
      .strictObject({
        type: z
          .enum(['ClusterIP', 'NodePort', 'LoadBalancer'])
          .default('ClusterIP')
          .describe('Type of the Service.'),
        annotations: annotations.exactOptional(),
      })
      .exactOptional()
      .describe('Through a Service; the server itself ends TLS.'),
  })
  .describe(
    'How wallets reach the server: one of ingress, gateway and service. A ClusterIP Service, if left out.',
  );

export const branding = z
  .strictObject({
    configMapRef: z
      .strictObject({ name: objectName.describe('Name of the ConfigMap.') })
      .exactOptional()
      .describe(
        'ConfigMap with theme.css, logo, templates and wording; followed without a restart (docs/branding.md).',
      ),
    folder: text(1024)
      .exactOptional()
      .describe(
        'Local development only: the folder with the same files, seen from the manifest. The operator ignores it.',
      ),
  })
  .describe("Look and wording of the customer's pages.");
