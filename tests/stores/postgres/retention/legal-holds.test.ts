import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { isErasingUnder } from '../../../../stores/postgres/erasure/erasures.ts';
import { addHold, assertNoLegalHold, LegalHoldError } from '../../../../stores/postgres/retention/legal-holds.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import { untilTrue } from '../../../setup/until.ts';

const db = fileDatabase();
const user = fileUser(db);
let session: string;

beforeEach(async () => {
  session = randomUUID();
  await db.write('DELETE FROM erasures');
  await db.write(
    "INSERT INTO sessions (id, tenant_id, user_id, host, external_id, started_at, last_event_at) VALUES ($1, $2, $3, 'test', $4, now(), now())",
    [session, user.tenantId, user.userId, session],
  );
});

const ofSession = () => ({ ...user, subject: 'session' as const, subjectId: session, reason: 'a case' });

/** Resolves when a transaction of this database waits for another one. */
async function oneWaits(): Promise<void> {
  const waiting = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
  await untilTrue(async () => (await db.superuser.query(waiting)).rowCount === 1);
}

test('a legal hold waits for a deletion that found none, and is refused after it', async () => {
  const found = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const deletion = db.database.asTenant(user.tenantId, async (transaction) => {
    await assertNoLegalHold(transaction, { sessionId: session });
    found.resolve();
    await goOn.promise;
    await transaction.$executeRaw`UPDATE sessions SET status = 'deleted' WHERE id = ${session}::uuid`;
  });
  await found.promise;
  const placed = db.database.asTenant(user.tenantId, (transaction) => addHold(transaction, ofSession()));
  await oneWaits();
  goOn.resolve();
  await deletion;
  expect(await placed).toBeNull();
  expect(await db.count('legal_holds WHERE subject_id = $1', [session])).toBe(0);
});

test('a deletion that begins while a legal hold is placed finds it', async () => {
  const placed = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const placing = db.database.asTenant(user.tenantId, async (transaction) => {
    await addHold(transaction, ofSession());
    placed.resolve();
    await goOn.promise;
  });
  await placed.promise;
  const deletion = db.database.asTenant(user.tenantId, (transaction) =>
    assertNoLegalHold(transaction, { sessionId: session }),
  );
  await oneWaits();
  goOn.resolve();
  const [, outcome] = await Promise.allSettled([placing, deletion]);
  expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(LegalHoldError) });
});

test('finds a running erasure of what a legal hold would protect', async () => {
  const project = await db.createProject(user);
  await db.write('UPDATE sessions SET project_id = $2 WHERE id = $1', [session, project]);
  const erasing = (subject: 'tenant' | 'project' | 'session' | 'user', id: string) =>
    db.database.asTenant(user.tenantId, (transaction) => isErasingUnder(transaction, subject, id));
  const all = async () => [
    await erasing('tenant', user.tenantId),
    await erasing('user', user.userId),
    await erasing('project', project),
    await erasing('session', session),
    await erasing('session', randomUUID()),
  ];
  const during = async (kind: string, subject: string) => {
    await db.write('DELETE FROM erasures');
    await db.write('INSERT INTO erasures (id, tenant_id, kind, subject) VALUES ($1, $2, $3, $4)', [
      randomUUID(),
      user.tenantId,
      kind,
      subject,
    ]);
    return all();
  };
  expect(await all()).toEqual([false, false, false, false, false]);
  expect(await during('user', user.userId)).toEqual([true, true, true, true, false]);
  // Of a user who has nothing but learnings in it, too.
  const learned = await db.createProject(user);
  await db.write(
    "INSERT INTO learnings (id, tenant_id, project_id, user_id, fingerprint, category, title, description, confidence, valid_from) VALUES (uuidv7(), $1, $2, $3, sha256('a'), 'general', 'a', 'a', 1, now())",
    [user.tenantId, learned, user.userId],
  );
  expect(await erasing('project', learned)).toBe(true);
  expect(await during('session', session)).toEqual([true, true, true, true, false]);
  expect(await during('tenant', user.tenantId)).toEqual([true, true, true, true, true]);
});
