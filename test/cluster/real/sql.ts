import pg from 'pg';
import { type RealAnchor } from './fixtures.ts';
import { getObject, secretText } from './objects.ts';
import { forward } from './wallet.ts';

/** Runs a statement in the anchor's embedded database, as its owner: what tests look at or spoil behind everybody's back. */
export async function runSql(anchor: RealAnchor, statement: string): Promise<readonly object[]> {
  const url = new URL(secretText(await getObject(anchor, 'Secret', 'harbor-database'), 'url'));
  const tunnel = await forward(anchor, 'pod/harbor-database-0', 5432);
  const client = new pg.Client({
    connectionString: Object.assign(url, { host: new URL(tunnel.url).host }).href,
  });
  try {
    await client.connect();
    return (await client.query<object>(statement)).rows;
  } finally {
    await client.end();
    tunnel.close();
  }
}
