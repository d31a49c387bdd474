import { beforeAll, expect, test } from 'vitest';
import { SessionFolders } from '../../../api/intake/session-folders.ts';
import type { ExclusionMemory } from '../../../api/intake/session-folders.ts';
import { compileExclusions } from '../../../domain/capture/exclusions.ts';
import type { Exclusion } from '../../../domain/capture/exclusions.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import { readExcludedSessions, writeExcludedSession } from '../../../stores/postgres/capture/excluded-sessions.ts';
import { fileDatabase } from '../../setup/database.ts';
import { PLAIN_HOST_EVENT } from '../../setup/host-event.ts';

const db = fileDatabase();
let tenantId: TenantId;
let userId: UserId;
const calls = { reads: 0, writes: 0 };
/** Changes that every process of a test was notified of; null while none is notified. */
let version: number | null = 0;
let memory: ExclusionMemory;

beforeAll(async () => {
  ({ tenantId, userId } = await db.createUser());
  memory = {
    read: (tenant, sessions) => {
      calls.reads += 1;
      return readExcludedSessions(db.database, tenant, sessions);
    },
    write: async (tenant, session, isExcluded) => {
      calls.writes += 1;
      await writeExcludedSession(db.database, tenant, session, isExcluded);
      if (version !== null) version += 1;
    },
    version: () => version,
  };
});

const eventIn = (externalId: string, path: string | null) => ({
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

test('storage is read and written once per session, at any result; later checks do not wait', async () => {
  Object.assign(calls, { reads: 0, writes: 0 });
  const folders = started();
  const batch = [
    eventIn('a', '/vault/x'),
    eventIn('b', '/src'),
    eventIn('a', null),
    eventIn('b', null),
    eventIn('c', null),
  ];
  expect(await folders.check(userId, batch, vault)).toEqual([true, false, true, false, false]);
  expect(calls).toEqual({ reads: 1, writes: 1 });
  // The process is notified of its own write, too.
  expect(await folders.check(userId, batch, vault)).toEqual([true, false, true, false, false]);
  expect(calls).toEqual({ reads: 2, writes: 1 });
  for (let round = 0; round < 3; round += 1) {
    const answer = folders.check(userId, batch, vault);
    expect(answer).not.toBeInstanceOf(Promise);
    expect(answer).toEqual([true, false, true, false, false]);
  }
  expect(calls).toEqual({ reads: 2, writes: 1 });
});

test('another process knows which sessions are excluded, of this tenant alone', async () => {
  await started().check(userId, [eventIn('unmoved', '/vault'), eventIn('moved', '/vault')], vault);
  await started().check(userId, [eventIn('moved', '/src')], vault);
  expect(await started().check(userId, [eventIn('unmoved', null), eventIn('moved', null)], vault)).toEqual([
    true,
    false,
  ]);
  const stranger = await db.createUser();
  expect(await new SessionFolders(stranger.tenantId, memory).check(userId, [eventIn('unmoved', null)], vault)).toEqual([
    false,
  ]);
});

test('a process that knows a session follows it into and out of an excluded folder that another process saw', async () => {
  const [one, other] = [started(), started()];
  const at = async (folders: SessionFolders, path: string | null) => {
    const [isExcluded] = await folders.check(userId, [eventIn('roaming', path)], vault);
    return isExcluded;
  };
  for (let round = 0; round < 2; round += 1) {
    expect(await at(one, '/src')).toBe(false);
    expect(await at(other, '/vault')).toBe(true);
    expect(await at(one, null)).toBe(true);
    expect(await at(other, '/src/again')).toBe(false);
    expect(await at(one, null)).toBe(false);
    // Stored, although this process last wrote the same.
    expect(await at(other, '/vault/x')).toBe(true);
    expect(await at(one, null)).toBe(true);
  }
});

test('a process that is not notified reads storage for every event', async () => {
  version = null;
  try {
    const [one, other] = [started(), started()];
    expect(await one.check(userId, [eventIn('unnotified', '/src')], vault)).toEqual([false]);
    expect(await other.check(userId, [eventIn('unnotified', '/vault')], vault)).toEqual([true]);
    expect(await one.check(userId, [eventIn('unnotified', null), eventIn('unnotified', null)], vault)).toEqual([
      true,
      true,
    ]);
    const { reads } = calls;
    await one.check(userId, [eventIn('unnotified', null)], vault);
    expect(calls.reads).toBe(reads + 1);
  } finally {
    version = 0;
  }
});

test('another user’s session of the same name is in the folder of that user’s events', async () => {
  const folders = started();
  const colleague = newId<UserId>();
  await folders.check(userId, [eventIn('shared', '/vault')], vault);
  expect(await folders.check(colleague, [eventIn('shared', null)], vault)).toEqual([false]);
  await folders.check(colleague, [eventIn('shared', '/src')], vault);
  expect(await started().check(userId, [eventIn('shared', null)], vault)).toEqual([true]);
});

test('an edit of the list leaves sessions where they are, and counts for those whose folder is known', async () => {
  const folders = started();
  await folders.check(userId, [eventIn('in', '/vault'), eventIn('out', '/src')], vault);
  expect(await folders.check(userId, [eventIn('in', null), eventIn('out', null)], listOf('/vault', '/other'))).toEqual([
    true,
    false,
  ]);
  expect(await folders.check(userId, [eventIn('in', null), eventIn('out', null)], listOf('/src'))).toEqual([
    false,
    true,
  ]);
  // Without a folder, the remembered decision applies.
  expect(await started().check(userId, [eventIn('in', null), eventIn('out', null)], listOf('/other'))).toEqual([
    false,
    true,
  ]);
});

test('more sessions than fit in memory are not confused', async () => {
  const folders = started();
  await folders.check(userId, [eventIn('oldest', '/vault')], vault);
  for (let batch = 0; batch < 11; batch += 1)
    await folders.check(
      userId,
      Array.from({ length: 1_000 }, (_, n) => eventIn(`many-${batch}-${n}`, '/src')),
      vault,
    );
  const answer = folders.check(userId, [eventIn('oldest', null)], vault);
  expect(answer).toBeInstanceOf(Promise);
  expect(await answer).toEqual([true]);
});

test('a failed write to storage is repeated with the next event', async () => {
  let isUnavailable = true;
  const folders = new SessionFolders(tenantId, {
    ...memory,
    write: (...entries) => (isUnavailable ? Promise.reject(new Error('unavailable')) : memory.write(...entries)),
  });
  await expect(folders.check(userId, [eventIn('late', '/vault')], vault)).rejects.toThrow('unavailable');
  isUnavailable = false;
  expect(await folders.check(userId, [eventIn('late', null)], vault)).toEqual([true]);
  expect(await started().check(userId, [eventIn('late', null)], vault)).toEqual([true]);
});
