import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createConsolidationActivities } from '../../../activities/consolidation/create-consolidation-activities.ts';
import type { Visibility } from '../../../domain/learning/visibility.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import type { TestUser } from '../../setup/database.ts';
import { createClassroom, learningsOf, NO_HINTS } from './support/taught.ts';
import type { Classroom } from './support/taught.ts';

const TABS = 'Always use tabs for indentation';
const NO_TABS = 'Never use tabs for indentation';
const MORE_TABS = 'Always use tabs for indentation, four columns wide, in generated templates and in snapshots as well';
const instance = fileInstance();
let classroom: Classroom;
let ada: TestUser;
let ben: TestUser;

beforeAll(async () => {
  classroom = await createClassroom(instance);
  ada = await instance.user();
  ben = await instance.user();
});
afterAll(async () => {
  await classroom.close();
});
afterEach(async () => {
  await instance.write('DELETE FROM learnings');
  await sharing('shared');
});

const sharing = (value: Visibility) => instance.put('/admin/settings/learnings.visibility', { value });
let session = 0;
const teach = (user: TestUser, description: string) =>
  classroom.teach(`visible-${(session += 1)}`, [{ description }], { key: user.key });
/** Every learning: owner, visibility, whether it is current, and its sessions. */
const rows = async () =>
  (await learningsOf(instance)).map(
    (row) =>
      `${row.user_id === ada.userId ? 'ada' : 'ben'} ${row.visibility} ${row.open ? 'open' : String(row.reason)} ${row.sessions}: ${row.description}`,
  );
const unshare = async (description: string, user: TestUser) => {
  const row = (await learningsOf(instance)).find((each) => each.description === description && each.open);
  const answer = await instance.put(`/learnings/${row?.id}/visibility`, { visibility: 'private' }, user.key);
  expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ visibility: 'private' })]);
};

test('the setting decides about learnings of later sessions, and each session meets those of its user alone', async () => {
  await teach(ada, TABS);
  await sharing('private');
  await teach(ada, TABS);
  await teach(ben, TABS);
  await teach(ben, 'always use tabs, for indentation!');
  await teach(ada, NO_TABS);
  // Neither the shared learning nor that of a colleague gains evidence, a version, or its end.
  expect(await rows()).toEqual([
    `ada shared open 1: ${TABS}`,
    `ada private contradicted 1: ${TABS}`,
    `ben private open 2: ${TABS}`,
    `ada private open 1: ${NO_TABS}`,
  ]);
});

test('a model is sent learnings of the scope alone: no private one of another user, none for a shared scope', async () => {
  await teach(ada, TABS);
  await unshare(TABS, ada);
  await teach(ben, 'The cache lives in redis');
  const knownTo = async (user: TestUser) => {
    await teach(user, 'The deploy needs the registry token');
    return classroom.given.at(-1)?.known.map(({ description }) => description);
  };
  expect(await knownTo(ben)).toEqual(['The cache lives in redis']);
  expect(await knownTo(ada)).not.toContain(TABS);
  await sharing('private');
  expect(await knownTo(ben)).toEqual([]);
  expect(await knownTo(ada)).toEqual([TABS]);
});

test('what a user made private is not shared again by the user’s sessions; other users learn it by themselves', async () => {
  const first = await teach(ada, TABS);
  await unshare(TABS, ada);
  await classroom.again(first, [{ description: TABS }]);
  await teach(ada, 'always use TABS for indentation');
  await teach(ada, MORE_TABS);
  expect(await rows()).toEqual([`ada private refined 2: ${TABS}`, `ada private open 1: ${MORE_TABS}`]);
  await teach(ben, TABS);
  expect((await rows()).at(-1)).toBe(`ben shared open 1: ${TABS}`);
  // Closed by its owner, it is not learned again either.
  const row = (await learningsOf(instance)).find(({ description }) => description === MORE_TABS);
  await instance.post(`/learnings/${row?.id}/invalidate`, { reason: 'not so' }, ada.key);
  await teach(ada, MORE_TABS);
  expect((await rows()).filter((line) => line.startsWith('ada') && line.includes('open'))).toEqual([]);
});

test('the graph of the project names nothing that only a private learning does', async () => {
  const solution = 'The bug in `warbler.ts` is fixed by a retry';
  const named = () => instance.count(`entities WHERE name LIKE '%warbler%'`);
  await classroom.teach('graph-1', [{ description: solution, category: 'solution', title: 'The warbler retry' }], {
    key: ada.key,
  });
  expect(await named()).toBeGreaterThan(0);
  await unshare(solution, ada);
  expect(await named()).toBe(0);
  await sharing('private');
  await classroom.teach('graph-2', [{ description: `${solution} again`, title: 'The warbler retry' }], {
    key: ben.key,
  });
  expect(await named()).toBe(0);
});

test('the consolidation merges within one visibility and owner, and a learning once it is shared', async () => {
  const { tenantId } = instance.admin;
  const consolidate = () =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(() =>
      createConsolidationActivities({
        ...classroom.dependencies,
        hints: NO_HINTS,
        clock: { now: () => Date.now() },
      }).consolidate({ tenantId }),
    );
  await teach(ada, TABS);
  await sharing('private');
  await teach(ada, 'Use tabs for indentation always');
  await teach(ben, 'For indentation use tabs always');
  expect(await consolidate()).toMatchObject({ duplicates: 0, superseded: 0, scopes: 3 });
  const own = (await learningsOf(instance)).find(({ user_id: owner }) => owner === ben.userId);
  await instance.put(`/learnings/${own?.id}/visibility`, { visibility: 'shared' }, ben.key);
  expect(await consolidate()).toMatchObject({ duplicates: 1 });
  expect((await rows()).filter((line) => line.includes('open'))).toEqual([
    `ada shared open 2: ${TABS}`,
    'ada private open 1: Use tabs for indentation always',
  ]);
});
