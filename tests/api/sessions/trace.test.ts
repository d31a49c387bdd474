import { beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { memoryHash } from '../../../domain/memory.ts';
import { traceAnswer } from '../../../contract/trace.ts';
import { workflowIdOf } from '../../../workflows/registry.ts';
import { finished, sessionOf } from '../../setup/demo-session.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { bodyOf } from '../support/answers.ts';
import { promptEvent } from '../support/events.ts';
import { noteEvent } from '../support/events.ts';

const PATIENCE_MS = 120_000;
const instance = fileInstance();

async function trace(key: string, session?: string, asKey?: string): Promise<z.output<typeof traceAnswer>> {
  const query = new URLSearchParams({ key, ...(session === undefined ? {} : { session }) });
  return bodyOf(traceAnswer, await instance.get(`/trace?${query.toString()}`, asKey));
}

beforeAll(async () => {
  const stop = await instance.startWorker();
  const events = smallSession('traced');
  const secret = noteEvent('traced', 'the key is AKIAIOSFODNN7EXAMPLE and <private>mine</private>', {
    key: 'secretive',
  });
  await captured(instance, [...events.slice(0, 5), secret, ...events.slice(5)]);
  await finished(instance, 'test:traced', PATIENCE_MS);
  const { id } = await sessionOf(instance, 'test:traced');
  const handle = instance.temporal.workflow.getHandle(workflowIdOf('session', instance.admin.tenantId, id));
  await untilTrue(async () => (await handle.describe()).status.name === 'COMPLETED', PATIENCE_MS);
  await stop();
  await captured(instance, smallSession('untraced').slice(0, 3));
});

describe('one event', { timeout: 240_000 }, () => {
  test('of a settled session is traced from its capture to its vectors, found in Weaviate by id', async () => {
    const found = await trace('traced-call-2');
    expect(found).toMatchObject({ degraded: [], forgotten: [] });
    expect(found.data).toHaveLength(1);
    const [event] = found.data;
    expect(event).toMatchObject({
      key: 'tool:traced-call-2',
      source: 'event',
      session: { external_id: 'traced', status: 'ended' },
      rows: [{ kind: 'observation', type: 'tool_result', tool: 'Edit', words_indexed: true }],
      consumed: true,
      window: { state: 'summarised', attempts: 1 },
      workflow: { state: 'completed' },
    });
    expect(event?.summaries.map((summary) => summary.type)).toEqual(expect.arrayContaining(['topic', 'session']));
    expect(event?.embeddings.length).toBeGreaterThan(0);
    expect(event?.embeddings.every((chunk) => chunk.state === 'indexed' && chunk.in_index === true)).toBe(true);
  });

  test('has the times of its steps to the last vector, without a collector', async () => {
    const [event] = (await trace('traced-call-2')).data;
    expect(event?.trace_ids).toEqual([]);
    const names = event?.steps.map(({ name }) => name) ?? [];
    expect(names.slice(0, 6)).toEqual(['deliver', 'consume', 'index_row', 'window', 'summarise', 'index_summary']);
    expect(event?.steps.every(({ duration_ms: ms }) => ms !== null && ms >= 0)).toBe(true);
    const startOf = (name: string) => event?.steps.find((step) => step.name === name)?.started_at;
    expect([startOf('consume'), startOf('summarise')]).toEqual([event?.received_at, event?.window?.created_at]);
    const [waiting] = (await trace('untraced-call-1')).data;
    expect(waiting?.steps.map(({ name, duration_ms: ms }) => [name, ms === null])).toEqual([
      ['deliver', false],
      ['consume', true],
    ]);
  });

  test('is found by each of its names: tool use id, key, row id, hash, delivery', async () => {
    const [event] = (await trace('tool:traced-call-1')).data;
    const id = event?.rows[0]?.id ?? '';
    for (const name of ['traced-call-1', id, id.toUpperCase(), memoryHash(id)])
      expect((await trace(name)).data.map((found) => found.key)).toEqual(['tool:traced-call-1']);
    const hook = { session_id: 'delivered', hook_event_name: 'Stop', last_assistant_message: 'Done, and well.' };
    await instance.call('POST', '/hooks/Stop', { body: hook, headers: { 'x-recollect-delivery': 'd-17' } });
    const [stop] = (await trace('d-17')).data;
    expect(stop?.rows.map((row) => row.kind)).toEqual(['prompt', 'boundary']);
    expect(stop?.source).toBe('hook');
  });

  test('lists what was redacted by kind and count, and no content of the event', async () => {
    const found = await trace('secretive');
    expect(found.data[0]?.rows).toMatchObject([{ redactions: { private: 1 } }]);
    const text = JSON.stringify(found);
    for (const secret of ['AKIA', 'mine', 'the key is']) expect(text).not.toContain(secret);
  });

  test('that is unconsumed is reported so, and so is a missing vector', async () => {
    expect((await trace('untraced-call-1')).data[0]).toMatchObject({
      consumed: false,
      window: null,
      embeddings: [],
      rows: [{ words_indexed: false }],
    });
    const [event] = (await trace('traced-call-3')).data;
    await instance.write('UPDATE embeddings SET object_id = gen_random_uuid() WHERE resource_id = $1', [
      event?.rows[0]?.id,
    ]);
    expect((await trace('traced-call-3')).data[0]?.embeddings.map((chunk) => chunk.in_index)).toEqual([false]);
  });

  test('in several sessions is returned for each; a session narrows it', async () => {
    for (const session of ['twin-1', 'twin-2'])
      await captured(instance, [promptEvent(session, 'twin', { key: 'twin' })]);
    expect((await trace('twin')).data.map((found) => found.session.external_id)).toEqual(['twin-2', 'twin-1']);
    const narrow = await trace('twin', 'test:twin-1');
    expect([narrow.data.length, narrow.searched_sessions]).toEqual([1, null]);
    expect((await trace('twin', 'test:unknown')).data).toEqual([]);
  });

  test('is returned to its owner and admins alone, and so is that it was forgotten', async () => {
    const owner = await instance.user();
    const colleague = await instance.user();
    const stranger = await instance.stranger({ role: 'admin' });
    await captured(instance, [promptEvent('own', 'mine', { key: 'own-1' })], owner.key);
    const rowId = (await trace('own-1', undefined, owner.key)).data[0]?.rows[0]?.id ?? '';
    for (const key of [colleague.key, stranger.key])
      for (const name of ['own-1', rowId]) expect((await trace(name, undefined, key)).data).toEqual([]);
    expect((await trace('own-1')).data).toHaveLength(1);
    await instance.delete('/events/own-1', owner.key);
    expect(await trace('own-1')).toMatchObject({ data: [], forgotten: [{ external_id: 'own' }] });
    expect((await trace('own-1', undefined, owner.key)).forgotten).toMatchObject([{ external_id: 'own' }]);
    for (const key of [colleague.key, stranger.key])
      expect((await trace('own-1', undefined, key)).forgotten).toEqual([]);
  });

  test('queries each table by an index, whatever its size', async () => {
    const { id } = await sessionOf(instance, 'test:traced');
    await instance.write(
      `INSERT INTO capture_keys (session_id, key, tenant_id, seq, kind, row_id)
       SELECT $1, 'filler:' || n, $2, 1000 + n, 'observation', gen_random_uuid() FROM generate_series(1, 20000) AS n`,
      [id, instance.admin.tenantId],
    );
    await instance.db.owner.query('ANALYZE capture_keys, sessions');
    const started = performance.now();
    expect((await trace('filler:7')).data).toHaveLength(1);
    expect(await instance.count("capture_keys WHERE key = 'filler:7'")).toBe(1);
    // Generous: the machine is shared. A scan of all keys for each session would take minutes.
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});
