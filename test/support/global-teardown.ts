import { rm } from 'node:fs/promises';

export default async function globalTeardown(): Promise<void> {
  const database = globalThis.capstanTestDatabase;
  if (!database) return;
  await database.stop();
  await rm(database.folder, { recursive: true, force: true });
}
