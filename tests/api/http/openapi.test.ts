import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createApiDependencies } from '../../../api/dependencies.ts';
import { ERROR_STATUS } from '../../../api/errors.ts';
import { createServer } from '../../../api/server.ts';
import { newId } from '../../../domain/ids.ts';
import { memoryHash } from '../../../domain/memory.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { demoHooks, replay, settled } from '../../setup/demo-session.ts';
import { createTestUser } from '../../setup/database.ts';
import { SCHEDULE_NAMES } from '../../../domain/jobs.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { ApiAnswer, TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import { gdprFailures, gdprSuccesses, seedGdpr } from '../support/gdpr-requests.ts';
import type { GdprIds } from '../support/gdpr-requests.ts';
import { ask, contractOf } from '../support/openapi.ts';
import type { Contract, ContractRequest } from '../support/openapi.ts';
import { retentionFailures, retentionSuccesses, seedRetention } from '../support/retention-requests.ts';
import type { RetentionIds } from '../support/retention-requests.ts';

const V1 = '/api/v1';
let instance: TestInstance;
let contract: Contract;
let session: string;
let importId: string;
let backupId: string;
let restoreId: string;
/** Ends at once: there is no such set. */
const NO_SET = { backup_id: newId(), dry_run: true };
let checkId: string;
let valueSha256: string;
let retention: RetentionIds;
let gdpr: GdprIds;
let learningId: string;
/** Learnings that stand, for changes that end them. */
let otherLearnings: string[];
let summaryId: string;
/** Memories by hand, to correct and to forget. */
let memoryIds: string[];
/** A context that was served, with the hash of its first memory. */
let context: { readonly id: string; readonly hash: string };
/** Transcripts that may be imported, none, and full values. */
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-contract-'));

/** The hash in the note of a value that was cut. */
async function cutValue(): Promise<string> {
  const text = 'a long line of output '.repeat(4_000);
  await instance.call('POST', '/events', { body: { type: 'observation', host: 'test', session_id: 'cut', text } });
  const rows = await instance.call('GET', '/sessions/test:cut/observations?full=true');
  return /sha256:([0-9a-f]{64})/.exec(JSON.stringify(rows.body))?.[1] ?? '';
}

beforeAll(async () => {
  instance = await startTestInstance(
    {
      RECOLLECT_TRANSCRIPT_ROOTS: folder,
      RECOLLECT_FULL_VALUES_DIR: folder,
      RECOLLECT_BACKUP_STORE: folder,
      RECOLLECT_ARCHIVE_STORE: folder,
    },
    SCHEDULE_NAMES,
  );
  contract = await contractOf(instance);
  await instance.startWorker();
  const hooks = demoHooks();
  await replay(instance, hooks);
  session = encodeURIComponent(`claude-code:${hooks[0]?.session_id ?? ''}`);
  const started = await instance.call('POST', '/imports', { body: { kind: 'transcripts', directory: folder } });
  importId = z.object({ id: z.string() }).parse(started.body).id;
  const compared = await instance.call('POST', '/admin/consistency', { body: { dry_run: true } });
  checkId = z.object({ id: z.string() }).parse(compared.body).id;
  valueSha256 = await cutValue();
  await settled(instance, decodeURIComponent(session));
  const idOf = (body: unknown) => z.object({ id: z.string() }).parse(body).id;
  const given = async (n: number) =>
    idOf(
      (await instance.call('POST', '/learnings', { body: { title: `Given ${n}`, description: `Given ${n}` } })).body,
    );
  restoreId = idOf((await instance.call('POST', '/admin/restore', { body: NO_SET })).body);
  backupId = idOf((await instance.call('POST', '/admin/backup')).body);
  // What a drill leaves that was cancelled before it had read its set.
  await until(noRestore);
  await instance.db.superuser.query('UPDATE restores SET result = $2 WHERE id = $1', [
    restoreId,
    { seconds: { total: 1 } },
  ]);
  learningId = await given(0);
  otherLearnings = [await given(1), await given(2), await given(3)];
  memoryIds = [await given(4), await given(5)];
  const written = await instance.call('GET', `/sessions/${session}/summaries?limit=1`);
  summaryId = idOf(z.object({ data: z.array(z.unknown()) }).parse(written.body).data[0]);
  gdpr = await seedGdpr(instance, await given(6));
  retention = await seedRetention(instance);
  const served = await instance.call('POST', '/context', { body: { purpose: 'session_start', project: '/src/tally' } });
  const { id, items } = z.object({ id: z.string(), items: z.array(z.object({ hash: z.string() })) }).parse(served.body);
  context = { id, hash: items[0]?.hash ?? '' };
}, 240_000);
afterAll(async () => {
  await instance.close();
  rmSync(folder, { recursive: true, force: true });
});

const event = { type: 'prompt', host: 'test', session_id: 'contract', content: 'hello' };
const toolUseId = String(demoHooks().find((hook) => typeof hook['tool_use_id'] === 'string')?.['tool_use_id']);

const noRestore = async (): Promise<true | undefined> => {
  const { rowCount } = await instance.db.superuser.query("SELECT FROM restores WHERE state = 'running'");
  return rowCount === 0 ? true : undefined;
};

/** At least one success of every operation, with as much in its answer as there can be. */
function successes(): ContractRequest[] {
  return [
    {
      operation: `post ${V1}/hooks/{event}`,
      path: '/hooks/SessionStart',
      options: { body: { session_id: 'contract', cwd: '/src/tally' } },
    },
    { operation: `post ${V1}/hooks/{event}`, path: '/hooks/Stop', options: { body: { session_id: 'contract' } } },
    { operation: `post ${V1}/events`, path: '/events', options: { body: event } },
    {
      operation: `post ${V1}/events/batch`,
      path: '/events/batch',
      options: { body: [event, event, { ...event, content: 'more' }, { type: 'odd' }] },
    },
    {
      operation: `post ${V1}/events`,
      path: '/events',
      options: { body: { ...event, session_id: 'spare', project: { name: 'spare' } } },
    },
    { operation: `get ${V1}/sessions`, path: '/sessions?limit=2' },
    { operation: `get ${V1}/sessions/{id}`, path: `/sessions/${session}` },
    { operation: `get ${V1}/sessions/{id}/summaries`, path: `/sessions/${session}/summaries` },
    { operation: `get ${V1}/sessions/{id}/prompts`, path: `/sessions/${session}/prompts` },
    {
      operation: `get ${V1}/sessions/{id}/observations`,
      path: `/sessions/${session}/observations?full=true&limit=100`,
    },
    { operation: `put ${V1}/sessions/{id}`, path: `/sessions/${session}`, options: { body: { title: 'A title' } } },
    { operation: `post ${V1}/sessions/{id}/summaries`, path: `/sessions/${session}/summaries?wait=30` },
    { operation: `post ${V1}/sessions/{id}/close`, path: '/sessions/test:contract/close' },
    { operation: `get ${V1}/jobs`, path: '/jobs?limit=100' },
    { operation: `get ${V1}/jobs/{id}`, path: '/jobs/index.0' },
    { operation: `post ${V1}/jobs/{id}/retry`, path: '/jobs/index.0/retry' },
    { operation: `post ${V1}/jobs/{id}/cancel`, path: '/jobs/index.0/cancel' },
    { operation: `get ${V1}/schedules`, path: '/schedules' },
    {
      operation: `post ${V1}/schedules/{name}/pause`,
      path: '/schedules/partitions/pause',
      options: { body: { reason: 'a test' } },
    },
    { operation: `post ${V1}/schedules/{name}/resume`, path: '/schedules/partitions/resume' },
    { operation: `post ${V1}/schedules/{name}/run`, path: '/schedules/partitions/run' },
    { operation: `post ${V1}/admin/restore`, path: '/admin/restore', options: { body: NO_SET } },
    { operation: `get ${V1}/admin/restores`, path: '/admin/restores?limit=2' },
    { operation: `get ${V1}/admin/restores/{id}`, path: `/admin/restores/${restoreId}` },
    { operation: `post ${V1}/admin/drill`, path: '/admin/drill', options: { body: { backup_id: newId() } } },
    { operation: `post ${V1}/admin/backup`, path: '/admin/backup' },
    { operation: `get ${V1}/admin/backups`, path: '/admin/backups?limit=2' },
    { operation: `get ${V1}/admin/backups/{id}`, path: `/admin/backups/${backupId}` },
    { operation: `post ${V1}/admin/backups/{id}/verify`, path: `/admin/backups/${backupId}/verify` },
    { operation: `post ${V1}/admin/consistency`, path: '/admin/consistency', options: { body: {} } },
    { operation: `get ${V1}/admin/consistency/checks`, path: '/admin/consistency/checks' },
    { operation: `get ${V1}/admin/consistency/checks/{id}`, path: `/admin/consistency/checks/${checkId}` },
    { operation: `get ${V1}/stats`, path: '/stats' },
    { operation: `get ${V1}/trace`, path: `/trace?key=${toolUseId}` },
    { operation: `get ${V1}/full-values/{sha256}`, path: `/full-values/${valueSha256}` },
    {
      operation: `post ${V1}/imports`,
      path: '/imports',
      options: { body: { kind: 'transcripts', directory: folder } },
    },
    { operation: `get ${V1}/imports/claude-mem/rows`, path: `/imports/claude-mem/rows?source=${'a'.repeat(32)}` },
    {
      operation: `post ${V1}/imports/claude-mem/rows`,
      path: `/imports/claude-mem/rows?source=${'a'.repeat(32)}&table=observations`,
      options: { raw: '{"id":1,"title":"A finding"}\n', headers: { 'content-type': 'application/x-ndjson' } },
    },
    { operation: `get ${V1}/imports/{id}`, path: `/imports/${importId}` },
    { operation: `post ${V1}/imports/{id}/cancel`, path: `/imports/${importId}/cancel` },
    { operation: `get ${V1}/transcripts`, path: '/transcripts?machine=m&path=p.jsonl' },
    {
      operation: `post ${V1}/transcripts`,
      path: `/transcripts?machine=m&path=p.jsonl&fingerprint=f&offset=0&size=3&modified_at=2026-01-02T03:04:05Z&quiet_ms=0`,
      options: { raw: '{}\n', headers: { 'content-type': 'application/x-ndjson' } },
    },
    { operation: `get ${V1}/projects`, path: '/projects' },
    { operation: `get ${V1}/projects/{id}`, path: '/projects/tally' },
    { operation: `put ${V1}/projects/{id}`, path: '/projects/tally', options: { body: { display_name: 'tally' } } },
    {
      operation: `post ${V1}/projects/{id}/merge`,
      path: '/projects/spare/merge',
      options: { body: { into: 'tally' } },
    },
    { operation: `get ${V1}/admin/reindex`, path: '/admin/reindex' },
    { operation: `post ${V1}/admin/reindex`, path: '/admin/reindex', options: { body: { dry_run: true } } },
    { operation: `get ${V1}/admin/settings`, path: '/admin/settings' },
    {
      operation: `put ${V1}/admin/settings/{key}`,
      path: '/admin/settings/capture.exclude',
      options: { body: { value: ['/unused/**'] } },
    },
    { operation: `delete ${V1}/events/{key}`, path: `/events/${toolUseId}?dry_run=true` },
    { operation: `delete ${V1}/sessions/{id}`, path: '/sessions/test:spare' },
    { operation: `get ${V1}/learnings`, path: '/learnings?limit=100' },
    {
      operation: `post ${V1}/learnings`,
      path: '/learnings',
      options: { body: { title: 'By hand', description: `By hand ${newId()}` } },
    },
    { operation: `get ${V1}/learnings/{id}`, path: `/learnings/${learningId}` },
    { operation: `put ${V1}/learnings/{id}`, path: `/learnings/${learningId}`, options: { body: { title: 'B' } } },
    { operation: `delete ${V1}/learnings/{id}`, path: `/learnings/${otherLearnings[0]}` },
    {
      operation: `post ${V1}/learnings/{id}/verify`,
      path: `/learnings/${otherLearnings[1]}/verify`,
      options: { body: { note: 'true' } },
    },
    {
      operation: `post ${V1}/learnings/{id}/invalidate`,
      path: `/learnings/${otherLearnings[1]}/invalidate`,
      options: { body: { reason: 'over' } },
    },
    {
      operation: `post ${V1}/learnings/{id}/supersede`,
      path: `/learnings/${otherLearnings[2]}/supersede`,
      options: { body: { by: { title: 'New', description: `New ${newId()}` }, reason: 'newer' } },
    },
    { operation: `get ${V1}/summaries/{id}`, path: `/summaries/${summaryId}` },
    { operation: `get ${V1}/graph`, path: '/graph?limit=200&depth=2' },
    { operation: `get ${V1}/profile`, path: '/profile?project=tally' },
    {
      operation: `post ${V1}/context/{id}/feedback`,
      path: `/context/${context.id}/feedback`,
      options: { body: { useful: [context.hash] } },
    },
    { operation: `get ${V1}/search`, path: '/search?q=invoice&limit=50&explain=true' },
    { operation: `get ${V1}/search`, path: '/search?q=invoice&group_by=session&include_vectors=true' },
    { operation: `get ${V1}/search`, path: '/search?q=invoice+yesterday&format=compact' },
    { operation: `post ${V1}/search/semantic`, path: '/search/semantic', options: { body: { q: 'invoice' } } },
    { operation: `get ${V1}/search/suggest`, path: '/search/suggest?q=in' },
    { operation: `post ${V1}/memories`, path: '/memories', options: { body: { content: `By hand ${newId()}` } } },
    {
      operation: `post ${V1}/memories/batch`,
      path: '/memories/batch',
      options: { body: { memories: [{ content: 'One of a batch' }, { content: 'One of a batch' }, {}] } },
    },
    {
      operation: `post ${V1}/memories/get`,
      path: '/memories/get',
      options: { body: { ids: [memoryHash(summaryId), newId()] } },
    },
    { operation: `get ${V1}/memories/{id}`, path: `/memories/${summaryId}` },
    { operation: `get ${V1}/memories/by-hash/{hash}`, path: `/memories/by-hash/${memoryHash(summaryId)}` },
    { operation: `put ${V1}/memories/{id}`, path: `/memories/${memoryIds[0]}`, options: { body: { tags: ['a'] } } },
    { operation: `delete ${V1}/memories/{id}`, path: `/memories/${memoryIds[1]}` },
    { operation: `get ${V1}/timeline`, path: `/timeline?anchor=${summaryId}&before=50` },
    { operation: `get ${V1}/timeline`, path: '/timeline?q=invoice&format=compact' },
    {
      operation: `post ${V1}/context`,
      path: '/context',
      options: { body: { purpose: 'session_start', project: '/src/tally' } },
    },
    {
      operation: `post ${V1}/context`,
      path: '/context',
      options: { body: { purpose: 'prompt', prompt: 'How are invoices rounded?', budget_tokens: 400 } },
    },
    { operation: `get ${V1}/usage`, path: '/usage?group_by=project' },
    { operation: `get ${V1}/usage/forecast`, path: '/usage/forecast?days=3' },
    { operation: `get ${V1}/roi`, path: '/roi?minutes_per_memory=5&hourly_usd=80&usd_per_mtok=3' },
    ...gdprSuccesses(gdpr),
    ...retentionSuccesses(retention),
    { operation: `get ${V1}/health`, path: '/health' },
    { operation: `get ${V1}/health`, path: '/health?format=compact' },
    { operation: `get ${V1}/health/live`, path: '/health/live' },
    { operation: `get ${V1}/health/ready`, path: '/health/ready' },
    { operation: `get ${V1}/metrics`, path: '/metrics' },
  ];
}

function failures(reader: string): ContractRequest[] {
  return [
    { operation: `post ${V1}/hooks/{event}`, path: '/hooks/Stop', options: { body: {} } },
    { operation: `post ${V1}/hooks/{event}`, path: '/hooks/Stop', options: { raw: '{' } },
    { operation: `post ${V1}/hooks/{event}`, path: '/hooks/Stop', options: { key: reader, body: {} } },
    { operation: `post ${V1}/events`, path: '/events', options: { body: { type: 'odd' } } },
    { operation: `post ${V1}/events`, path: '/events', options: { key: null, body: event } },
    {
      operation: `post ${V1}/events`,
      path: '/events',
      options: { raw: 'x', headers: { 'content-type': 'text/plain' } },
    },
    { operation: `post ${V1}/events/batch`, path: '/events/batch', options: { body: {} } },
    { operation: `get ${V1}/sessions`, path: '/sessions?limit=1000' },
    { operation: `get ${V1}/sessions`, path: '/sessions?unknown=1' },
    { operation: `get ${V1}/sessions/{id}`, path: '/sessions/unknown' },
    { operation: `get ${V1}/sessions/{id}/summaries`, path: '/sessions/unknown/summaries' },
    { operation: `get ${V1}/sessions/{id}/prompts`, path: '/sessions/unknown/prompts' },
    { operation: `get ${V1}/sessions/{id}/observations`, path: '/sessions/unknown/observations' },
    { operation: `put ${V1}/sessions/{id}`, path: `/sessions/${session}`, options: { body: { title: '' } } },
    { operation: `post ${V1}/sessions/{id}/close`, path: '/sessions/unknown/close' },
    { operation: `get ${V1}/jobs`, path: '/jobs?state=odd' },
    { operation: `get ${V1}/jobs/{id}`, path: '/jobs/odd' },
    { operation: `post ${V1}/jobs/{id}/retry`, path: '/jobs/session.odd/retry' },
    { operation: `post ${V1}/jobs/{id}/cancel`, path: '/jobs/index.7/cancel' },
    { operation: `get ${V1}/schedules`, path: '/schedules', options: { key: reader } },
    {
      operation: `post ${V1}/schedules/{name}/pause`,
      path: '/schedules/partitions/pause',
      options: { body: {} },
    },
    { operation: `post ${V1}/schedules/{name}/resume`, path: '/schedules/odd/resume' },
    { operation: `post ${V1}/schedules/{name}/run`, path: '/schedules/odd/run' },
    { operation: `post ${V1}/admin/restore`, path: '/admin/restore', options: { key: reader } },
    { operation: `get ${V1}/admin/restores`, path: '/admin/restores?limit=0' },
    { operation: `get ${V1}/admin/restores/{id}`, path: `/admin/restores/${newId()}` },
    { operation: `post ${V1}/admin/drill`, path: '/admin/drill', options: { body: { store: 'relative' } } },
    { operation: `post ${V1}/admin/backup`, path: '/admin/backup', options: { key: reader } },
    { operation: `get ${V1}/admin/backups`, path: '/admin/backups?limit=0' },
    { operation: `get ${V1}/admin/backups/{id}`, path: '/admin/backups/odd' },
    { operation: `post ${V1}/admin/backups/{id}/verify`, path: '/admin/backups/odd/verify' },
    { operation: `post ${V1}/admin/consistency`, path: '/admin/consistency', options: { body: { odd: true } } },
    { operation: `get ${V1}/admin/consistency/checks`, path: '/admin/consistency/checks', options: { key: reader } },
    { operation: `get ${V1}/admin/consistency/checks/{id}`, path: `/admin/consistency/checks/${newId()}` },
    { operation: `get ${V1}/stats`, path: '/stats?days=0' },
    { operation: `get ${V1}/trace`, path: '/trace' },
    { operation: `get ${V1}/full-values/{sha256}`, path: '/full-values/odd' },
    { operation: `post ${V1}/imports`, path: '/imports', options: { body: { kind: 'transcripts', directory: '/' } } },
    { operation: `get ${V1}/imports/claude-mem/rows`, path: '/imports/claude-mem/rows?source=odd' },
    { operation: `post ${V1}/imports/claude-mem/rows`, path: '/imports/claude-mem/rows', options: { body: {} } },
    { operation: `get ${V1}/imports/{id}`, path: '/imports/odd' },
    { operation: `post ${V1}/transcripts`, path: '/transcripts', options: { body: {} } },
    { operation: `get ${V1}/projects/{id}`, path: '/projects/unknown' },
    { operation: `put ${V1}/projects/{id}`, path: '/projects/tally', options: { body: { aliases_add: ['odd'] } } },
    {
      operation: `post ${V1}/projects/{id}/merge`,
      path: '/projects/tally/merge',
      options: { body: { into: 'tally' } },
    },
    { operation: `get ${V1}/admin/reindex`, path: '/admin/reindex', options: { key: reader } },
    { operation: `post ${V1}/admin/reindex`, path: '/admin/reindex', options: { body: { odd: true } } },
    { operation: `get ${V1}/admin/settings`, path: '/admin/settings', options: { key: reader } },
    { operation: `put ${V1}/admin/settings/{key}`, path: '/admin/settings/odd', options: { body: { value: [] } } },
    { operation: `delete ${V1}/events/{key}`, path: '/events/nothing' },
    { operation: `delete ${V1}/sessions/{id}`, path: '/sessions/unknown' },
    { operation: `get ${V1}/learnings`, path: '/learnings?category=odd' },
    { operation: `post ${V1}/learnings`, path: '/learnings', options: { body: {} } },
    { operation: `get ${V1}/learnings/{id}`, path: '/learnings/odd' },
    { operation: `put ${V1}/learnings/{id}`, path: `/learnings/${newId()}`, options: { body: { title: 'B' } } },
    { operation: `put ${V1}/learnings/{id}`, path: `/learnings/${learningId}`, options: { body: { title: 'C' } } },
    { operation: `delete ${V1}/learnings/{id}`, path: `/learnings/${newId()}` },
    { operation: `post ${V1}/learnings/{id}/verify`, path: '/learnings/odd/verify', options: { body: {} } },
    {
      operation: `post ${V1}/learnings/{id}/invalidate`,
      path: `/learnings/${learningId}/invalidate`,
      options: { body: {} },
    },
    {
      operation: `post ${V1}/learnings/{id}/supersede`,
      path: `/learnings/${learningId}/supersede`,
      options: { body: { by: learningId, reason: 'r' } },
    },
    { operation: `get ${V1}/summaries/{id}`, path: `/summaries/${newId()}` },
    { operation: `get ${V1}/graph`, path: '/graph?depth=3' },
    { operation: `get ${V1}/profile`, path: `/profile?user=${newId()}` },
    {
      operation: `post ${V1}/context/{id}/feedback`,
      path: `/context/${newId()}/feedback`,
      options: { body: { useful: ['aaaaaaaa'] } },
    },
    { operation: `post ${V1}/memories`, path: '/memories', options: { body: { content: '' } } },
    { operation: `post ${V1}/memories`, path: '/memories', options: { body: { content: 'x' }, key: reader } },
    { operation: `post ${V1}/memories/batch`, path: '/memories/batch', options: { body: [] } },
    { operation: `post ${V1}/memories/get`, path: '/memories/get', options: { body: { ids: ['odd'] } } },
    { operation: `get ${V1}/memories/{id}`, path: `/memories/${newId()}` },
    { operation: `get ${V1}/memories/by-hash/{hash}`, path: '/memories/by-hash/aaaaaaaa' },
    { operation: `put ${V1}/memories/{id}`, path: `/memories/${summaryId}`, options: { body: { tags: [] } } },
    { operation: `delete ${V1}/memories/{id}`, path: `/memories/${summaryId}` },
    { operation: `get ${V1}/timeline`, path: '/timeline' },
    { operation: `get ${V1}/search`, path: '/search' },
    { operation: `post ${V1}/search/semantic`, path: '/search/semantic', options: { body: {} } },
    { operation: `get ${V1}/search/suggest`, path: '/search/suggest?q=i' },
    { operation: `get ${V1}/search`, path: `/search?q=${'x'.repeat(501)}` },
    { operation: `post ${V1}/context`, path: '/context', options: { body: { purpose: 'file' } } },
    { operation: `get ${V1}/usage`, path: '/usage?since=2020-01-01T00:00:00Z' },
    { operation: `get ${V1}/usage`, path: '/usage?user=unknown', options: { key: reader } },
    { operation: `get ${V1}/usage/forecast`, path: '/usage/forecast?days=91' },
    { operation: `get ${V1}/roi`, path: '/roi?hourly_usd=-1' },
    ...gdprFailures(reader, gdpr),
    ...retentionFailures(reader),
    { operation: `get ${V1}/metrics`, path: '/metrics', options: { key: reader } },
    { operation: `get ${V1}/metrics`, path: '/metrics', options: { key: null } },
  ];
}

describe('real answers and the document', () => {
  test('agree on every success', async () => {
    for (const request of successes()) {
      // One at a time, and the one before ends by itself.
      if (request.path === '/admin/drill') await until(noRestore);
      expect(await ask(instance, contract, request)).toEqual({
        operation: request.operation,
        status: expect.any(Number),
        faults: [],
      });
    }
    const versioned = contract.operations.filter((operation) => operation.includes(V1));
    expect([...contract.seen].toSorted()).toEqual(versioned.toSorted());
  });

  test('agree on refusals', async () => {
    const { key } = await createTestUser(instance.db.superuser, { scopes: ['read'] });
    for (const request of failures(key)) {
      const conformance = await ask(instance, contract, request);
      expect(conformance).toEqual({ operation: request.operation, status: expect.any(Number), faults: [] });
      expect(Object.values(ERROR_STATUS)).toContain(conformance.status);
    }
  });

  test('are compared in earnest: an answer that is wrong, or of an unknown status, is found', async () => {
    const answer = await instance.call('GET', `/sessions/${session}`);
    const name = `get ${V1}/sessions/{id}`;
    const changed = (change: Partial<ApiAnswer>) => contract.check(name, { ...answer, ...change }).faults;
    const body = Object.fromEntries(Object.entries(answer.body ?? {}));
    expect(changed({})).toEqual([]);
    expect(changed({ body: { ...body, status: 'odd' } })).toEqual([
      '/status must be equal to one of the allowed values',
    ]);
    expect(changed({ body: { ...body, started_at: 7 } })).toEqual(['/started_at must be string']);
    expect(changed({ body: { ...body, counts: {} } }).length).toBeGreaterThan(3);
    expect(changed({ body: Object.fromEntries(Object.entries(body).filter(([field]) => field !== 'phase')) })).toEqual([
      " must have required property 'phase'",
    ]);
    expect(changed({ status: 418 })).toEqual(['the status is not documented']);
    expect(changed({ headers: new Headers({ 'content-type': 'text/html' }) })).toEqual([
      'the content type text/html is not documented',
    ]);
  });
});

/** Routes of a server as `get /path/{parameter}`, from the tree that it prints. */
async function registeredRoutes(): Promise<string[]> {
  const logger = createLogger('test', 'error');
  const dependencies = createApiDependencies(instance.config, logger);
  const server = await createServer({ dependencies, logger, isStopping: () => false });
  await server.ready();
  const parents: string[] = [];
  const routes: string[] = [];
  for (const line of server.printRoutes({ commonPrefix: false }).split('\n')) {
    const match = /^([│ ]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?$/.exec(line);
    if (match === null) continue;
    const [, indent = '', segment = '', methods = ''] = match;
    const depth = indent.length / 4;
    parents.splice(depth, parents.length, `${parents[depth - 1] ?? ''}${segment}`);
    for (const method of methods.split(', ').filter((name) => name !== '' && name !== 'HEAD'))
      routes.push(`${method.toLowerCase()} ${(parents[depth] ?? '').replaceAll(/:(\w+)/g, '{$1}')}`);
  }
  await server.close();
  await dependencies.close();
  return routes;
}

describe('the document', () => {
  test('is OpenAPI 3.1 and names every route, beside itself, its browsable page and MCP, which describes itself', async () => {
    expect(contract.document.openapi).toBe('3.1.0');
    const routes = (await registeredRoutes()).filter(
      (route) => !route.startsWith('get /docs') && route !== `get ${V1}/openapi.json` && !route.endsWith('/mcp'),
    );
    expect(routes.length).toBeGreaterThanOrEqual(17);
    expect(contract.operations.toSorted()).toEqual(routes.toSorted());
  });

  test('describes each operation, and who may use it', () => {
    expect(contract.document.security).toEqual([{ key: [] }]);
    expect(contract.document.components.securitySchemes).toEqual({ key: { type: 'http', scheme: 'bearer' } });
    const open = contract.operations.filter((name) => {
      const [method = '', route = ''] = name.split(' ');
      const operation = contract.document.paths[route]?.[method];
      expect(operation).toMatchObject({ summary: expect.any(String), tags: [expect.any(String)] });
      return operation?.security?.length === 0;
    });
    expect(open.toSorted()).toEqual(
      ['', V1]
        .flatMap((prefix) => ['health', 'health/live', 'health/ready'].map((path) => `get ${prefix}/${path}`))
        .toSorted(),
    );
  });

  test('describes access as it is: without a key only open operations respond', async () => {
    for (const name of contract.operations.filter((operation) => operation.includes(V1))) {
      const [method = '', route = ''] = name.split(' ');
      const answer = await instance.call(
        method.toUpperCase(),
        route.slice(V1.length).replace('{event}', 'Stop').replace('{id}', 'x'),
        { key: null, ...(method === 'post' ? { body: {} } : {}) },
      );
      const isOpen = contract.document.paths[route]?.[method]?.security?.length === 0;
      expect([name, answer.status]).toEqual([name, isOpen ? 200 : 401]);
    }
  });

  test('names each operation once, and links lead to operations with what they take', () => {
    const operations = contract.operations.map((name) => {
      const [method = '', route = ''] = name.split(' ');
      return z.looseObject({ operationId: z.string() }).parse(contract.document.paths[route]?.[method]);
    });
    const ids = new Set(operations.map(({ operationId }) => operationId));
    expect(ids.size).toBe(operations.length);
    const links = [
      ...JSON.stringify(contract.document).matchAll(/"operationId":"(\w+)","(?:parameters|requestBody)":/g),
    ];
    expect(links.length).toBeGreaterThan(100);
    for (const [, id = ''] of links) expect(ids).toContain(id);
  });

  test('refers to nothing that it does not hold', () => {
    const text = JSON.stringify(contract.document);
    const named = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((name) => contract.document.components.schemas[name] === undefined)).toEqual([]);
    expect(contract.document.components.schemas).toHaveProperty('Event');
  });
});
