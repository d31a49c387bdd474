import { expect, test } from 'vitest';
import { tombstonesSince } from '../../../../stores/postgres/erasure/replay-erasures.ts';
import { fileDatabase } from '../../../setup/database.ts';

const db = fileDatabase();

test('every tombstone since a time is read once, over as many pages as it takes', async () => {
  const tenants = [await db.createUser(), await db.createUser()];
  for (const { tenantId } of tenants)
    await db.write(
      `INSERT INTO tombstones (tenant_id, host, external_id, key_sha256, created_at)
       SELECT $1, host, 's', decode(repeat(key, 32), 'hex'), CASE WHEN key = 'ff' THEN now() - interval '1 day' ELSE now() END
         FROM unnest(ARRAY['', 'test']) AS host, unnest(ARRAY['00', '01', '02', 'ff']) AS key`,
      [tenantId],
    );
  for (const atOnce of [1, 4, 5, 12, 100]) {
    const read: string[] = [];
    for await (const { tenantId, host, keySha256 } of tombstonesSince(
      db.maintenance,
      new Date(Date.now() - 3_600_000),
      atOnce,
    ))
      read.push(`${tenantId} ${host} ${Buffer.from(keySha256).toString('hex').slice(0, 2)}`);
    const wanted = tenants.flatMap(({ tenantId }) =>
      ['', 'test'].flatMap((host) => ['00', '01', '02'].map((key) => `${tenantId} ${host} ${key}`)),
    );
    expect(read.toSorted()).toEqual(wanted.toSorted());
  }
});
