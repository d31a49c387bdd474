import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessionDetail } from '../../contract/sessions.ts';
import type { SessionDetail } from '../../contract/sessions.ts';
import { recordReachability } from '../../stores/postgres/capture/reachability.ts';
import { closedPort } from '../api/support/closed-port.ts';
import { bodyOf } from '../api/support/answers.ts';
import { runProgram, writeCredentials } from '../cli/support/output.ts';
import { transcriptOf } from '../domain/transcripts/support/from-hooks.ts';
import { testFolder } from '../infra/support/folder.ts';
import type { RecordedHook } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { untilTrue } from '../setup/until.ts';
import { hooksOf } from './compare.ts';
import { transcriptFolderOf } from './folder.ts';

const folder = transcriptFolderOf();
const LOST = 7;
let instance: TestInstance;

beforeAll(async () => {
  instance = await startTestInstance({ RECOLLECT_TRANSCRIPTS: 'known' });
});
afterAll(async () => {
  await instance.close();
  folder.remove();
});

/** Sends hooks as an agent does; `delivery`: as the client does, with an id for each. */
async function send(to: TestInstance, hooks: readonly RecordedHook[], url = to.url, delivery = false): Promise<void> {
  for (const hook of hooks) {
    const answer = await fetch(`${url}/api/v1/hooks/${hook.hook_event_name}`, {
      method: 'POST',
      body: JSON.stringify(hook),
      headers: {
        authorization: `Bearer ${to.admin.key}`,
        'content-type': 'application/json',
        ...(delivery ? { 'x-recollect-delivery': crypto.randomUUID() } : {}),
      },
    });
    expect(answer.status).toBe(200);
  }
}

/** Plays an outage in the middle of a session: its hooks of that time get no response. */
async function sessionWithOutage(to: TestInstance, hooks: readonly RecordedHook[]): Promise<void> {
  const start = hooks.slice(0, 10);
  const before = recordReachability(to.db.database.pool, { leastMs: 0 });
  await send(to, start);
  await before.stop();
  const closed = `http://127.0.0.1:${await closedPort()}`;
  for (const hook of hooks.slice(10, 10 + LOST)) await expect(send(to, [hook], closed)).rejects.toThrow('fetch failed');
  await recordReachability(to.db.database.pool, { leastMs: 0 }).stop();
  await send(to, hooks.slice(10 + LOST));
}

const session = async (of: TestInstance, id: string): Promise<SessionDetail> =>
  bodyOf(sessionDetail, await of.get(`/sessions/claude-code:${id}`));

describe('an outage of the server', { timeout: 240_000 }, () => {
  test('is a possible gap of a session whose HTTP hooks it lost, until its transcript is read', async () => {
    const dataDir = testFolder();
    writeCredentials(dataDir, instance);
    const run = (...args: string[]) => runProgram([...args, '--data-dir', dataDir]);
    const hooks = hooksOf('by-http');
    await send(instance, hooksOf('by-client').slice(0, 10), instance.url, true);
    await send(instance, hooksOf('over'));
    await sessionWithOutage(instance, hooks);
    const lossy = await session(instance, 'by-http');
    expect(lossy.gaps).toEqual([{ from: expect.any(String), to: expect.any(String), transcript: 'expected' }]);
    const [{ from, to } = { from: '', to: '' }] = lossy.gaps;
    expect(Date.parse(from)).toBeLessThan(Date.parse(to));
    // The client has spooled its events, and the agent ended the other session before.
    expect((await session(instance, 'by-client')).gaps).toEqual([]);
    expect((await session(instance, 'over')).gaps).toEqual([]);

    const gap = `Possible gap from ${from.slice(0, 19).replace('T', ' ')} to ${to.slice(0, 19).replace('T', ' ')} UTC`;
    const name = `${lossy.id} (claude-code:by-http)\n  ${gap}: the server was unreachable; its transcript will be read.\n`;
    expect((await run('sessions')).text).toContain(`\n\n${name}`);
    expect((await run('status')).text).toContain(name);
    expect((await run('summary', lossy.id)).text).toContain(gap);
    expect(JSON.parse((await run('status', '--json')).text)).toMatchObject({ capture: { gaps: [{ id: lossy.id }] } });

    folder.write('-src-a/by-http.jsonl', transcriptOf(hooks));
    // The server may not read this folder: the command reads it.
    expect((await run('import', 'transcripts', folder.root)).code).toBe(0);
    const filled = await session(instance, 'by-http');
    expect(filled.gaps).toEqual([{ from, to, transcript: 'read' }]);
    expect(filled.counts.observations).toBeGreaterThan(lossy.counts.observations);
    expect((await run('sessions')).text).toContain('its transcript was read since then');
    expect((await run('status')).text).not.toContain('Possible gap');
  });

  test('is a gap that remains if no transcripts are read', async () => {
    const without = await startTestInstance({ RECOLLECT_TRANSCRIPTS: 'off' });
    try {
      const dataDir = testFolder();
      writeCredentials(dataDir, without);
      await sessionWithOutage(without, hooksOf('unread').slice(0, 25));
      expect((await session(without, 'unread')).gaps).toMatchObject([{ transcript: 'missing' }]);
      const { text } = await runProgram(['status', '--data-dir', dataDir]);
      expect(text).toContain('no transcript is read: run recollect import transcripts.');
      expect(text.match(/Possible gap/g)).toHaveLength(1);
    } finally {
      await without.close();
    }
  });

  test('is not recorded while another process of the api is reachable', async () => {
    const { pool } = instance.db.database;
    const outages = () => instance.value("SELECT value FROM settings WHERE key = 'capture.outages'");
    await instance.db.superuser.query(
      "UPDATE settings SET updated_at = now() - interval '1 hour' WHERE key = 'capture.reachable'",
    );
    const first = recordReachability(pool);
    const recent = "settings WHERE key = 'capture.reachable' AND updated_at > now() - interval '1 minute'";
    await untilTrue(async () => (await instance.count(recent)) === 1);
    const before = await outages();
    // Longer than a busy machine may delay the records of the first, shorter than the hour before.
    await recordReachability(pool, { leastMs: 60_000 }).stop();
    await first.stop();
    expect(await outages()).toEqual(before);
  });
});
