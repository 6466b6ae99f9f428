import * as z from 'zod';
import { bounded, dataKey, duration, objectName, resources, secretRef, text, url } from './common.ts';
import { atomic, atomicList, keyedBy } from './kubernetes.ts';

const keyRef = z
  .strictObject({
    name: objectName.describe('Name of the object.'),
    key: dataKey.describe('Key within the object.'),
    optional: z.boolean().exactOptional().describe('Whether the container starts without it.'),
  })
  .meta(atomic);
const objectRef = z
  .strictObject({
    name: objectName.describe('Name of the object.'),
    optional: z.boolean().exactOptional().describe('Whether the container starts without it.'),
  })
  .meta(atomic);

const environment = z
  .array(
    z
      .strictObject({
        name: z
          .string()
          .min(1)
          .max(128)
          .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable: letters, digits and "_"')
          .describe('Name of the variable.'),
        value: bounded(8192).exactOptional().describe('Its value.'),
        valueFrom: z
          .strictObject({
            secretKeyRef: keyRef.exactOptional().describe('A key of a Secret.'),
            configMapKeyRef: keyRef.exactOptional().describe('A key of a ConfigMap.'),
          })
          .exactOptional()
          .describe('Where its value is kept.'),
      })
      .describe('One variable.'),
  )
  .max(64)
  .meta(keyedBy('name'))
  .default([])
  .describe('Environment variables of the container.');

const environmentFrom = z
  .array(
    z
      .strictObject({
        prefix: z.string().max(64).exactOptional().describe('Put before every name.'),
        secretRef: objectRef.exactOptional().describe('A Secret.'),
        configMapRef: objectRef.exactOptional().describe('A ConfigMap.'),
      })
      .describe('One source.'),
  )
  .max(16)
  .meta(atomicList)
  .default([])
  .describe('Secrets and ConfigMaps whose keys all become environment variables.');

export const integration = z
  .strictObject({
    image: text(512)
      .exactOptional()
      .describe('Container image of the business; Capstan runs it. Either this or url.'),
    url: url('https', 'http')
      .exactOptional()
      .describe('Base URL of an integration that runs elsewhere. Either this or image.'),
    command: z
      .array(text(1024).describe('The program, then its arguments.'))
      .min(1)
      .max(32)
      .meta(atomicList)
      .exactOptional()
      .describe(
        'Local development only: what `capstan dev` starts in place of the image. The operator ignores it.',
      ),
    port: z.int().min(1).max(65_535).default(8080).describe('Port that the integration listens on.'),
    replicas: z.int().min(1).max(20).default(1).describe('Copies of the container.'),
    imagePullPolicy: z
      .enum(['Always', 'IfNotPresent', 'Never'])
      .exactOptional()
      .describe("When the image is pulled. Kubernetes' own default, if left out."),
    imagePullSecrets: z
      .array(z.strictObject({ name: objectName.describe('Name of the Secret.') }).describe('One Secret.'))
      .max(8)
      .meta(atomicList)
      .default([])
      .describe('Secrets that open the registry of the image.'),
    env: environment,
    envFrom: environmentFrom,
    resources: resources.exactOptional(),
    key: z
      .strictObject({ secretRef: secretRef.describe('Secret and key that hold the HMAC key.') })
      .exactOptional()
      .describe('Key that signs the calls (Standard Webhooks, HMAC-SHA256). Generated once, if left out.'),
    timeout: duration('1s', '60s').default('10s').describe('How long one call may take.'),
    concurrency: z.int().min(1).max(64).default(8).describe('Calls in flight from one process at most.'),
  })
  .describe('The container (or the service) that knows the bank.');
