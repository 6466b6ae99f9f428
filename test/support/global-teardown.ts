import { rm } from 'node:fs/promises';
import { SHARED_FOLDER, stopControlPlane } from '../cluster/control-plane.ts';

export default async function globalTeardown(): Promise<void> {
  const cluster = process.env[SHARED_FOLDER];
  if (cluster) await stopControlPlane(cluster);
  const database = globalThis.capstanTestDatabase;
  if (!database) return;
  await database.stop();
  await rm(database.folder, { recursive: true, force: true });
}
