import { afterAll, beforeAll, expect, test } from 'vitest';
import { SessionFolders } from '../../../api/intake/session-folders.ts';
import type { ExclusionMemory } from '../../../api/intake/session-folders.ts';
import { compileExclusions } from '../../../domain/capture/exclusions.ts';
import type { Exclusion } from '../../../domain/capture/exclusions.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import { readExcludedSessions, writeExcludedSession } from '../../../stores/postgres/capture/excluded-sessions.ts';
import { createTestDatabase, createTestUser } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { PLAIN_HOST_EVENT } from '../../setup/host-event.ts';

let db: TestDatabase;
let tenantId: TenantId;
let userId: UserId;
const asked = { reads: 0, writes: 0 };
let memory: ExclusionMemory;

beforeAll(async () => {
  db = await createTestDatabase();
  ({ tenantId, userId } = await createTestUser(db.superuser));
  memory = {
    read: (tenant, sessions) => {
      asked.reads += 1;
      return readExcludedSessions(db.database, tenant, sessions);
    },
    write: (tenant, session, isExcluded) => {
      asked.writes += 1;
      return writeExcludedSession(db.database, tenant, session, isExcluded);
    },
  };
});
afterAll(() => db.close());

const said = (externalId: string, path: string | null) => ({
  ...PLAIN_HOST_EVENT,
  externalId,
  project: path === null ? null : { path },
});
function listOf(...globs: string[]): Exclusion {
  const list = compileExclusions(globs);
  if (list === null) throw new Error('an empty list');
  return list;
}
const vault = listOf('/vault');
const started = () => new SessionFolders(tenantId, memory);

test('storage is asked once a session and told once, whatever comes of it; then nothing is waited for', async () => {
  Object.assign(asked, { reads: 0, writes: 0 });
  const folders = started();
  const batch = [said('a', '/vault/x'), said('b', '/src'), said('a', null), said('b', null), said('c', null)];
  expect(await folders.check(userId, batch, vault)).toEqual([true, false, true, false, false]);
  expect(asked).toEqual({ reads: 1, writes: 1 });
  for (let round = 0; round < 3; round += 1) {
    const answer = folders.check(userId, batch, vault);
    expect(answer).not.toBeInstanceOf(Promise);
    expect(answer).toEqual([true, false, true, false, false]);
  }
  expect(asked).toEqual({ reads: 1, writes: 1 });
});

test('another process knows which sessions are excluded, of this tenant alone', async () => {
  await started().check(userId, [said('kept', '/vault'), said('moved', '/vault')], vault);
  await started().check(userId, [said('moved', '/src')], vault);
  expect(await started().check(userId, [said('kept', null), said('moved', null)], vault)).toEqual([true, false]);
  const stranger = await createTestUser(db.superuser);
  expect(await new SessionFolders(stranger.tenantId, memory).check(userId, [said('kept', null)], vault)).toEqual([
    false,
  ]);
});

test('another user’s session of the same name lies where that user’s events say', async () => {
  const folders = started();
  const colleague = newId<UserId>();
  await folders.check(userId, [said('shared', '/vault')], vault);
  expect(await folders.check(colleague, [said('shared', null)], vault)).toEqual([false]);
  await folders.check(colleague, [said('shared', '/src')], vault);
  expect(await started().check(userId, [said('shared', null)], vault)).toEqual([true]);
});

test('an edit of the list leaves sessions where they are, and counts for those whose folder is known', async () => {
  const folders = started();
  await folders.check(userId, [said('in', '/vault'), said('out', '/src')], vault);
  expect(await folders.check(userId, [said('in', null), said('out', null)], listOf('/vault', '/other'))).toEqual([
    true,
    false,
  ]);
  expect(await folders.check(userId, [said('in', null), said('out', null)], listOf('/src'))).toEqual([false, true]);
  // Who knows no folder holds to what was remembered.
  expect(await started().check(userId, [said('in', null), said('out', null)], listOf('/other'))).toEqual([false, true]);
});

test('more sessions than are held in memory are not mistaken', async () => {
  const folders = started();
  await folders.check(userId, [said('oldest', '/vault')], vault);
  for (let batch = 0; batch < 11; batch += 1)
    await folders.check(
      userId,
      Array.from({ length: 1_000 }, (_, n) => said(`many-${batch}-${n}`, '/src')),
      vault,
    );
  const answer = folders.check(userId, [said('oldest', null)], vault);
  expect(answer).toBeInstanceOf(Promise);
  expect(await answer).toEqual([true]);
});

test('what storage could not be told is told with the next event', async () => {
  let isUnavailable = true;
  const folders = new SessionFolders(tenantId, {
    ...memory,
    write: (...told) => (isUnavailable ? Promise.reject(new Error('away')) : memory.write(...told)),
  });
  await expect(folders.check(userId, [said('told-late', '/vault')], vault)).rejects.toThrow('away');
  isUnavailable = false;
  expect(await folders.check(userId, [said('told-late', null)], vault)).toEqual([true]);
  expect(await started().check(userId, [said('told-late', null)], vault)).toEqual([true]);
});
