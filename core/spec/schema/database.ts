import * as z from 'zod';
import { secretRef, storage, objectName } from './common.ts';

export const database = z
  .strictObject({
    secretRef: secretRef
      .exactOptional()
      .describe(
        'Secret and key that hold the URL of a PostgreSQL database (postgres://…). Either this or embedded.',
      ),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .default(5432)
      .describe(
        'Port of that database. The network policies open it: the operator never reads the URL itself.',
      ),
    embedded: z
      .strictObject({
        storage: storage.default('1Gi').describe('Size of the volume.'),
        storageClassName: objectName
          .exactOptional()
          .describe("Storage class of the volume. The cluster's default, if left out."),
      })
      .exactOptional()
      .describe('A PostgreSQL of one instance without backups; not on the public network.'),
  })
  .describe('The database of the anchor.');
