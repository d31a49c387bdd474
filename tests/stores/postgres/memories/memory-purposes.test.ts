import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { readPurposes } from '../../../../stores/postgres/memories/memory-lookups.ts';
import { createTestDatabase, createTestUser } from '../../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../../setup/database.ts';
import { event, noted, promptPart } from '../support/captures.ts';

let db: TestDatabase;
let user: TestUser;

beforeAll(async () => {
  db = await createTestDatabase();
  user = await createTestUser(db.superuser);
});
afterAll(async () => db.close());

test('what follows a prompt of the user has its beginning for a purpose; the prompt itself, and what came before it, has none', async () => {
  const one = event(user, 'one', [
    noted('before'),
    promptPart(`fix the build ${'please '.repeat(200)}`),
    noted('output'),
    promptPart('completed', 'assistant'),
    promptPart('now the docs'),
    noted('later'),
  ]);
  await captureEvents(db.database.pool, [one, event(user, 'two', [noted('elsewhere')])]);
  const refs = one.rows.flatMap(({ kind, id }) => (kind === 'boundary' ? [] : [{ type: kind, id }]));
  const purposes = await db.database.readAsTenant(user.tenantId, (read) => readPurposes(read, refs));
  expect(refs.map(({ id }) => purposes.get(id)?.slice(0, 20))).toEqual([
    undefined,
    undefined,
    'fix the build please',
    'fix the build please',
    undefined,
    'now the docs',
  ]);
  expect(purposes.get(refs[2]?.id ?? '')?.length).toBeLessThanOrEqual(160);
});
