import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { archiveSession } from '../../../activities/retention/archive-session.ts';
import { createRetentionActivities } from '../../../activities/retention/create-retention-activities.ts';
import { createDirectoryArchive } from '../../../stores/archive/directory.ts';
import { directoryStoreAt } from '../../../stores/files/directory-store.ts';
import { createWorkflowHints } from '../../../stores/temporal/hints.ts';
import { sessionOf, settled } from '../../setup/demo-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { until } from '../../setup/until.ts';
import { idIn, inTime } from '../support/answers.ts';

const PATIENCE_MS = 120_000;
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-values-'));
const observations = z.object({ data: z.array(z.object({ content: z.string() })) });

// Runs last, after the instance is closed.
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const instance = fileInstance({ RECOLLECT_FULL_VALUES_DIR: folder });

function files(): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Captures a tool's output and answers the hash that the note in its row names; null where it was not cut. */
async function capture(useId: string, response: string, key?: string): Promise<string | null> {
  const body = {
    type: 'observation',
    host: 'test',
    session_id: useId,
    tool: { name: 'Bash', input: { command: 'ls' }, response, use_id: useId },
  };
  const answer = await instance.post('/events', body, key);
  expect(answer.status).toBe(202);
  const rows = observations.parse(
    (await instance.get(`/sessions/${encodeURIComponent(`test:${useId}`)}/observations?full=true`)).body,
  );
  return /sha256:([0-9a-f]{64})/.exec(rows.data[0]?.content ?? '')?.[1] ?? null;
}

test('the full value of a truncated one is stored, redacted, for admins of its tenant, until it is forgotten', async () => {
  const middle = 'the marker in the middle';
  const secret = `ghp_${'a1B2'.repeat(9)}`;
  const sha256 = await capture('long', `${'before '.repeat(8_000)}${middle} ${secret} ${'after '.repeat(8_000)}`);
  const response = await instance.get(`/full-values/${sha256}`);
  expect(response.status).toBe(200);
  const { text } = z.object({ text: z.string() }).parse(response.body);
  expect(text).toContain(middle);
  expect(text).not.toContain(secret);
  expect(text.length).toBeGreaterThan(100_000);

  const stranger = await instance.stranger({ role: 'admin' });
  expect((await instance.get(`/full-values/${sha256}`, stranger.key)).status).toBe(404);
  const user = await instance.stranger({ role: 'user' });
  expect((await instance.get(`/full-values/${sha256}`, user.key)).status).toBe(403);

  expect((await instance.delete('/events/tool%3Along?dry_run=true')).status).toBe(200);
  expect((await instance.get(`/full-values/${sha256}`)).status).toBe(200);
  expect((await instance.delete('/events/tool%3Along')).status).toBe(200);
  expect((await instance.get(`/full-values/${sha256}`)).status).toBe(404);
  expect(files()).toEqual([]);
});

test('a forgotten value is not stored again when its event is sent again', async () => {
  const event = {
    type: 'observation',
    host: 'test',
    session_id: 'again',
    tool: { name: 'Bash', input: { command: 'ls' }, response: 'one two '.repeat(40_000), use_id: 'again' },
  };
  expect((await instance.post('/events', event)).status).toBe(202);
  expect(files()).toHaveLength(1);
  expect((await instance.delete('/events/tool%3Aagain')).status).toBe(200);
  expect(files()).toEqual([]);
  expect(JSON.stringify((await instance.post('/events', event)).body)).toContain('EVENT_FORGOTTEN');
  expect(files()).toEqual([]);
});

test('a value that was not truncated is not stored, and an invalid hash is rejected', async () => {
  expect(await capture('short', 'a few words')).toBeNull();
  expect(files()).toEqual([]);
  const answer = await instance.get('/full-values/nonsense');
  expect(answer.status).toBe(422);
  expect(JSON.stringify(answer.body)).toContain('sha256');
});

test('forgetting a session deletes its full values', async () => {
  expect(await capture('forgotten', 'x y '.repeat(40_000))).not.toBeNull();
  expect(files()).toHaveLength(1);
  expect((await instance.delete(`/sessions/${encodeURIComponent('test:forgotten')}`)).status).toBe(200);
  expect(files()).toEqual([]);
});

test.each(['/events/tool%3Afailing', '/sessions/test%3Afailing-session'])(
  'a full value that could not be deleted with %s is deleted by the next retention run, without policies',
  async (forgotten) => {
    const useId = forgotten.includes('session') ? 'failing-session' : 'failing';
    expect(await capture(useId, `${useId} `.repeat(40_000))).not.toBeNull();
    const [file = ''] = files();
    // A folder in its place cannot be deleted as a file.
    rmSync(file);
    mkdirSync(file);
    expect((await instance.delete(forgotten)).status).toBe(200);
    rmdirSync(file);
    writeFileSync(file, 'left');
    const { database, maintenance } = instance.db;
    const retention = createRetentionActivities({
      database,
      maintenance,
      archives: null,
      objects: directoryStoreAt(folder),
      hints: createWorkflowHints(instance.temporal, instance.config.session, { gatherMs: 1, pollMs: 1, retryMs: 1 }),
      embeddingModel: { name: 'm', dimension: 3 },
      clock: { now: Date.now },
    });
    const groupId = randomUUID();
    expect(await retention.openRetention({ groupId })).toEqual({ runs: 1 });
    expect(await new MockActivityEnvironment().run(() => retention.stepRetention({ groupId }))).toEqual({
      rows: 0,
      more: false,
    });
    expect(files()).toEqual([]);
    expect(await retention.openRetention({ groupId: randomUUID() })).toEqual({ runs: 0 });
  },
);

const LONG = `${'before '.repeat(8_000)}the kingfisher marker ${'after '.repeat(8_000)}`;
const statusOf = async (sha256: string | null) => (await instance.get(`/full-values/${sha256}`)).status;

test('forgetting leaves a full value that a row of another user under a legal hold names', async () => {
  const sha256 = await capture('kept', LONG);
  const user = await instance.user();
  expect(await capture('own', LONG, user.key)).toBe(sha256);
  const { id } = await sessionOf(instance, 'test:kept');
  const hold = idIn(await instance.post('/admin/legal-holds', { subject: 'session', id, reason: 'a case' }));
  expect((await instance.delete('/events/tool%3Akept')).status).toBe(409);
  expect((await instance.delete('/events/tool%3Aown', user.key)).status).toBe(200);
  expect(await statusOf(sha256)).toBe(200);
  expect((await instance.delete('/sessions/test%3Aown')).status).toBe(200);
  expect(await statusOf(sha256)).toBe(200);
  expect((await instance.delete(`/admin/legal-holds/${hold}`)).status).toBe(200);
  expect((await instance.delete('/events/tool%3Akept')).status).toBe(200);
  expect(files()).toEqual([]);
});

async function erased(body: object) {
  const id = idIn(await instance.post('/gdpr/erase', body));
  const row = z.object({ state: z.string(), receipt: z.object({ receipt: z.string() }).nullable() });
  return until(async () => {
    const answer = row.parse((await instance.get(`/gdpr/requests/${id}`)).body);
    return answer.state === 'running' ? undefined : answer;
  }, PATIENCE_MS);
}

test(
  'an erasure leaves full values that others name, and finds a text in those of archived sessions',
  { timeout: 2 * PATIENCE_MS },
  async () => {
    const stop = await instance.startWorker();
    try {
      const sha256 = await capture('archived', LONG);
      expect(await capture('erased', LONG)).toBe(sha256);
      expect((await erased({ kind: 'session', session: 'test:erased' })).state).toBe('completed');
      expect(await statusOf(sha256)).toBe(200);

      expect((await inTime(() => instance.post('/sessions/test%3Aarchived/close', {}))).status).toBe(202);
      const { id } = await settled(instance, 'test:archived', PATIENCE_MS);
      const { database, maintenance } = instance.db;
      const archives = createDirectoryArchive(instance.config.archive.address ?? '');
      const lastSeq = await instance.value<number>('SELECT last_seq AS value FROM sessions WHERE id = $1', [id]);
      const archived = await archiveSession(
        { database, maintenance, archives, embeddingModel: { name: 'm', dimension: 3 } },
        { id, tenantId: instance.admin.tenantId, mark: `ended ${lastSeq}` },
        async () => {},
        new AbortController().signal,
      );
      expect(archived).not.toBeNull();
      const { state, receipt } = await erased({ kind: 'text', text: 'the kingfisher marker' });
      expect(state).toBe('completed');
      expect(JSON.parse(receipt?.receipt ?? '{}')).toMatchObject({ removed: { archives: 1, full_values: 1 } });
      expect([await statusOf(sha256), files()]).toEqual([404, []]);
    } finally {
      await stop();
    }
  },
);
