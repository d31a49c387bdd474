import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { transferAnswer } from '../../../contract/access.ts';
import { learningSchema } from '../../../contract/learnings.ts';
import { TRANSFERRED_TABLES } from '../../../stores/postgres/access/transfer.ts';
import { tenantTables } from '../../../stores/postgres/exports/table-catalog.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { join } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { noteEvent, promptEvent } from '../support/events.ts';
import { given } from '../support/learnings.ts';

const instance = fileInstance();

interface Joined {
  readonly id: string;
  readonly api_key: string;
}
let nora: Joined;
let writer: Joined;

const transfer = (from: string, body: object, key?: string) =>
  instance.post(`/admin/users/${from}/transfer`, body, key);
const sessionOf = (name: string) => instance.text('SELECT id AS value FROM sessions WHERE external_id = $1', [name]);

/** Inserts a learning of a user that these sessions taught; returns its id. */
async function taught(userId: string, sessions: readonly string[]): Promise<string> {
  const id = randomUUID();
  const { tenantId } = instance.admin;
  await instance.write(
    `INSERT INTO learnings (id, tenant_id, user_id, session_id, fingerprint, category, title, description, tags, confidence, valid_from)
     VALUES ($1, $2, $3, $4, sha256(uuid_send($1::uuid)), 'general', $1::uuid::text, 'Learned', '{}', 0.9, now())`,
    [id, tenantId, userId, sessions[0]],
  );
  for (const session of sessions)
    await instance.write(
      "INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote) VALUES ($1, gen_random_uuid(), 'q', $2, $3, 'a quote')",
      [id, tenantId, session],
    );
  return id;
}

/** Returns the number of rows of a user in each table with a `user_id`. */
async function rowsOf(userId: string): Promise<Record<string, number>> {
  const names = Object.keys(TRANSFERRED_TABLES);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await instance.count(`${name} WHERE user_id = $1`, [userId])])),
  );
}

const statesOf = async (ids: readonly string[]) =>
  instance.rows(
    'SELECT user_id, reason, description FROM learnings WHERE id = ANY ($1) ORDER BY array_position($1, id)',
    [ids],
  );

beforeAll(async () => {
  nora = await join(instance, 'nora');
  writer = await join(instance, 'writer');
});

test('every table with a user either moves or has a reason why not', async () => {
  const tables = (await tenantTables(instance.db.maintenance)).filter(({ columns }) =>
    columns.some(({ name }) => name === 'user_id'),
  );
  expect(Object.keys(TRANSFERRED_TABLES).toSorted()).toEqual(tables.map(({ name }) => name).toSorted());
});

describe('a transfer', () => {
  let only: string;
  let both: string;
  let written: string;
  let corrected: string;

  beforeAll(async () => {
    await instance.post('/events', promptEvent('noras', 'Where do the herons nest?', { infer: false }), nora.api_key);
    await instance.post('/events', noteEvent('noras', 'They nest by the boathouse', { infer: false }), nora.api_key);
    await instance.post('/events', noteEvent('writers', 'A note', { infer: false }), writer.api_key);
    const sessions = [await sessionOf('noras'), await sessionOf('writers')] as const;
    only = await taught(nora.id, [sessions[0]]);
    both = await taught(nora.id, sessions);
    written = (await given(instance, 'Herons like quiet water', {}, { key: nora.api_key })).id;
    const old = (await given(instance, 'Pelicans like quiet water', {}, { key: nora.api_key })).id;
    const answer = await instance.put(`/learnings/${old}`, { description: 'Pelicans like fish' }, nora.api_key);
    corrected = bodyOf(learningSchema, answer).id;
    await given(instance, 'Herons fear drones', { visibility: 'private' }, { key: nora.api_key });
    await instance.put('/admin/users/nora', { active: false });
  });

  const expected = { extracted: 2, by_hand: 2, closed: 1, erased_with_user: 1 };

  test('counts without a change if it is a dry run', async () => {
    const before = await rowsOf(nora.id);
    const answer = bodyOf(transferAnswer, await transfer('nora', { to: 'writer', dry_run: true }));
    expect(answer).toEqual({ id: nora.id, to: writer.id, dry_run: true, learnings: expected });
    expect(await rowsOf(nora.id)).toEqual(before);
    expect(before).toMatchObject({ learnings: 6, sessions: 1, prompts: 1, observations: 1 });
  });

  test('changes the owner of learnings alone, and is recorded with the former one', async () => {
    const before = await rowsOf(nora.id);
    const answer = bodyOf(transferAnswer, await transfer('nora', { to: writer.id }));
    expect(answer).toEqual({ id: nora.id, to: writer.id, dry_run: false, learnings: expected });
    expect(await rowsOf(nora.id)).toEqual({ ...before, learnings: 1 });
    const none = { extracted: 0, by_hand: 0, closed: 0, erased_with_user: 0 };
    expect(bodyOf(transferAnswer, await transfer('nora', { to: writer.id })).learnings).toEqual(none);
    const list = await instance.get(`/admin/audit-log?action=POST%20/admin/users/:id/transfer&limit=1`);
    expect(list.body).toMatchObject({ data: [{ subject_type: 'users', subject_id: nora.id, status: 200 }] });
  });

  test('leaves private learnings with the former owner', async () => {
    expect((await instance.get('/learnings?visibility=private', writer.api_key)).body).toMatchObject({ data: [] });
  });

  test('lets the new owner correct and delete, with all versions', async () => {
    const change = { description: 'Herons like still water' };
    const answer = await instance.put(`/learnings/${written}`, change, writer.api_key);
    written = bodyOf(learningSchema, answer).id;
    expect((await instance.delete(`/learnings/${corrected}`, writer.api_key)).status).toBe(200);
    expect((await instance.post(`/learnings/${both}/verify`, {})).status).toBe(200);
  });

  test('survives an erasure of the former owner, apart from what only those sessions taught', async () => {
    const stop = await instance.startWorker();
    expect((await instance.post('/gdpr/erase', { kind: 'user', user: 'nora' })).status).toBe(202);
    await untilTrue(async () => (await instance.count('users WHERE id = $1', [nora.id])) === 0, 60_000);
    await stop();
    const owner = writer.id;
    expect(await statesOf([written, both, only])).toEqual([
      { user_id: owner, reason: null, description: 'Herons like still water' },
      { user_id: owner, reason: null, description: 'Learned' },
      { user_id: owner, reason: 'evidence forgotten', description: '' },
    ]);
  });
});

describe('a transfer is rejected', () => {
  test.each([
    ['to nobody', {}, 'VALIDATION_FAILED', 'to'],
    ['to a name that is too long', { to: 'x'.repeat(257) }, 'VALIDATION_FAILED', 'to'],
    ['with an unknown field', { to: 'writer', user: 'writer' }, 'VALIDATION_FAILED', ''],
    ['with another dry_run', { to: 'writer', dry_run: 'yes' }, 'VALIDATION_FAILED', 'dry_run'],
    ['to an unknown user', { to: 'unknown' }, 'NOT_FOUND', 'to'],
    ['to the same user', { to: 'leaver' }, 'VALIDATION_FAILED', 'to'],
    ['to an inactive user', { to: 'inactive' }, 'CONFLICT', 'to'],
    ['to a viewer', { to: 'viewer' }, 'CONFLICT', 'to'],
    ['to a restricted user', { to: 'restricted' }, 'CONFLICT', 'to'],
    ['to a user who is being erased', { to: 'erased' }, 'CONFLICT', 'to'],
  ] as const)('%s', async (_, body, code, field) => {
    expectError(await transfer('leaver', body), code, field);
  });

  test('of a restricted user, one who is being erased, and one under a legal hold', async () => {
    expectError(await transfer('restricted', { to: 'writer' }), 'CONFLICT', 'id');
    expectError(await transfer('erased', { to: 'writer' }), 'CONFLICT', 'id');
    expectError(await transfer('unknown', { to: 'writer' }), 'NOT_FOUND', 'user');
    const held = await join(instance, 'held');
    await instance.post('/admin/legal-holds', { subject: 'user', id: held.id, reason: 'a case' });
    expectError(await transfer('held', { to: 'writer' }), 'LEGAL_HOLD', 'hold');
    expectError(await transfer('leaver', { to: 'writer' }, writer.api_key), 'FORBIDDEN');
  });

  beforeAll(async () => {
    await join(instance, 'leaver');
    await join(instance, 'viewer', 'viewer');
    for (const name of ['inactive', 'restricted', 'erased']) await join(instance, name);
    await instance.put('/admin/users/inactive', { active: false });
    await instance.post('/gdpr/restrict', { user: 'restricted', until: '2999-01-01T00:00:00Z' });
    // No worker runs: the erasure waits.
    await instance.post('/gdpr/erase', { kind: 'user', user: 'erased' });
  });
});

test('a transfer to somebody who is deactivated at the same time has one winner', async () => {
  const [from, to] = [await join(instance, 'from'), await join(instance, 'to')];
  await given(instance, 'Owls hunt at night', {}, { key: from.api_key });
  const [moved, change] = await Promise.all([
    transfer(from.id, { to: to.id }),
    instance.put(`/admin/users/${to.id}`, { active: false }),
  ]);
  expect(change.status).toBe(200);
  expect([200, 409]).toContain(moved.status);
  const owner = await instance.text("SELECT user_id AS value FROM learnings WHERE title = 'Owls hunt at night'");
  expect(owner).toBe(moved.status === 200 ? to.id : from.id);
});
