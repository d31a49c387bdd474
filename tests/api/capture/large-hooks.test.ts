import { expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';

const USERS = 4;
const HOOKS = 10;
/** Enough that a hook is read in the thread for large events. */
const CHARS = 40_000;

const instance = fileInstance();

test('stores the large hooks of several users, sent at once, each under its own user and session', async () => {
  const users = await Promise.all(Array.from({ length: USERS }, () => instance.user()));
  const statuses = await Promise.all(
    users.flatMap(({ key }, user) =>
      Array.from({ length: HOOKS }, async (_, n) => {
        const body = { session_id: `large-${user}`, prompt: `user ${user} prompt ${n} ${'word '.repeat(CHARS / 5)}` };
        const headers = { 'x-recollect-delivery': `large-${user}-${n}` };
        return (await instance.call('POST', '/hooks/UserPromptSubmit', { key, body, headers })).status;
      }),
    ),
  );
  expect(new Set(statuses)).toEqual(new Set([200]));
  const rows = await instance.rows<{
    user_id: string;
    name: string;
    author: string;
  }>(`SELECT s.user_id, s.external_id AS name, substring(p.content FROM '^user \\d+') AS author
       FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id LIKE 'large-%'`);
  expect(rows).toHaveLength(USERS * HOOKS);
  const expected = users.map(({ userId }, user) => `${userId} large-${user} user ${user}`);
  expect(new Set(rows.map(({ user_id: userId, name, author }) => `${userId} ${name} ${author}`))).toEqual(
    new Set(expected),
  );
});
