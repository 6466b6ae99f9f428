import pg from 'pg';

/** Every second row is the first subject's, so that one customer's history grows with the table. */
const SHARE_OF_FIRST = 2;

/**
 * Fills `transaction` up to so many finished deposits, one a minute into the past, then lets PostgreSQL count them as its
 * autovacuum would.
 *
 * @param subjects their owners; the first has half of them, the others share the rest evenly
 */
export async function fillHistory(
  databaseUrl: string,
  {
    rows,
    assetId,
    subjects,
  }: { readonly rows: number; readonly assetId: string; readonly subjects: readonly string[] },
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const counted = await client.query<{ count: string }>('select count(*) from transaction');
    const have = Number(counted.rows[0]?.count);
    await client.query(
      `insert into transaction (id, kind, status, version, asset_id, subject, amount_expected, amount_in, amount_out, amount_fee,
         fee_details, destination, transfer_received_at, external_transaction_id, stellar_transaction_id,
         started_at, updated_at, completed_at)
       select gen_random_uuid(), 'deposit', 'completed', 7, $1, owner.subject, 100, 100, 98.5, 1.5,
         '[{"name": "Fee", "amount": "1.5"}]', split_part(owner.subject, ':', 1), owner.at, 'BANK-' || n,
         md5(n::text) || md5(n::text), owner.at, owner.at + interval '20 seconds', owner.at + interval '20 seconds'
       from generate_series($2::int + 1, $3::int) as n,
         lateral (select now() - n * interval '1 minute' as at,
           ($4::text[])[case when n % ${SHARE_OF_FIRST} = 0 then 1 else 2 + (n / ${SHARE_OF_FIRST}) % $5::int end] as subject) as owner`,
      [assetId, have, rows, subjects, subjects.length - 1],
    );
    await client.query('vacuum analyze transaction');
  } finally {
    await client.end();
  }
}

/** The newest rows of each subject: their ids and owners. */
export async function someTransactions(
  databaseUrl: string,
  count: number,
): Promise<readonly { readonly id: string; readonly subject: string }[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const found = await client.query<{ id: string; subject: string }>(
      `select id, subject from transaction where status = 'completed' order by started_at desc limit $1`,
      [count],
    );
    return found.rows;
  } finally {
    await client.end();
  }
}
