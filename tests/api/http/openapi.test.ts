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
import { SCHEDULE_NAMES } from '../../../domain/jobs.ts';
import type { ApiAnswer } from '../../setup/instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { accessFailures, accessSuccesses, seedAccess } from '../support/access-requests.ts';
import { logInFailures, logInSuccesses, PLAYED_ELSEWHERE, seedLogIns } from '../support/log-in-requests.ts';
import { gdprFailures, gdprSuccesses, seedGdpr } from '../support/gdpr-requests.ts';
import { contextAnswer } from '../../../contract/context.ts';
import { ROUTE_RIGHTS } from '../support/route-rights.ts';
import { bodyOf, idIn, inTime } from '../support/answers.ts';
import { ask, contractOf } from '../support/openapi.ts';
import type { Contract, ContractRequest } from '../support/openapi.ts';
import { retentionFailures, retentionSuccesses, seedRetention } from '../support/retention-requests.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { promptEvent } from '../support/events.ts';
import { noteEvent } from '../support/events.ts';

const V1 = '/api/v1';
/** Limit for a hang: a session, a backup and an erasure take a minute, and so do all requests, one after another. */
const BUSY_MS = 600_000;
/** Of the pages that use passkeys. */
const ORIGIN = 'http://localhost:37700';
/** Ends at once: there is no such backup. */
const NO_BACKUP = { backup_id: newId(), dry_run: true };
/** Transcripts that may be imported, none, and full values. */
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-contract-'));
// Runs last, after the instance is closed.
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const instance = fileInstance(
  {
    RECOLLECT_TRANSCRIPT_ROOTS: folder,
    RECOLLECT_FULL_VALUES_DIR: folder,
    RECOLLECT_BACKUP_STORE: folder,
    RECOLLECT_ARCHIVE_STORE: folder,
    RECOLLECT_PUBLIC_URL: ORIGIN,
  },
  SCHEDULE_NAMES,
);
let contract: Contract;
let seeds: Awaited<ReturnType<typeof seed>>;

/** Returns the hash in the note of a truncated value. */
async function truncatedValue(): Promise<string> {
  const text = 'a long line of output '.repeat(4_000);
  await instance.post('/events', noteEvent('cut', text));
  const rows = await instance.get('/sessions/test:cut/observations?full=true');
  return /sha256:([0-9a-f]{64})/.exec(JSON.stringify(rows.body))?.[1] ?? '';
}

/** Creates what the requests name. */
async function seed() {
  const hooks = demoHooks();
  await replay(instance, hooks);
  const external = `claude-code:${hooks[0]?.session_id ?? ''}`;
  const session = encodeURIComponent(external);
  const created = async (address: string, body?: unknown) => idIn(await inTime(() => instance.post(address, body)));
  const given = (n: number) => created('/learnings', { title: `Given ${n}`, description: `Given ${n}` });
  const importId = await created('/imports', { kind: 'transcripts', directory: folder });
  const checkId = await created('/admin/consistency', { dry_run: true });
  const valueSha256 = await truncatedValue();
  await settled(instance, external);
  const restoreId = await created('/admin/restore', NO_BACKUP);
  const backupId = await created('/admin/backup');
  // What a drill leaves that was cancelled before it had read its backup.
  await noRestore();
  await instance.write('UPDATE restores SET result = $2 WHERE id = $1', [restoreId, { seconds: { total: 1 } }]);
  const learningId = await given(0);
  /** Current learnings, for changes that close them. */
  const otherLearnings = [await given(1), await given(2), await given(3)];
  /** Memories by hand, to correct and to forget. */
  const memoryIds = [await given(4), await given(5)];
  const { data } = bodyOf(listOfIds, await instance.get(`/sessions/${session}/summaries?limit=1`));
  const gdpr = await seedGdpr(instance, await given(6));
  const retention = await seedRetention(instance);
  const access = await seedAccess(instance);
  const logIns = await seedLogIns(instance, ORIGIN);
  const context = bodyOf(contextAnswer, await instance.post('/context', START));
  const ids = { session, importId, checkId, valueSha256, restoreId, backupId, learningId, otherLearnings, memoryIds };
  return { ...ids, summaryId: data[0]?.id ?? '', gdpr, access, logIns, retention, context };
}

beforeAll(async () => {
  contract = await contractOf(instance);
  await instance.startWorker();
  seeds = await seed();
}, BUSY_MS);

const START = { purpose: 'session_start', project: '/src/tally' };
const listOfIds = z.object({ data: z.array(z.object({ id: z.string() })) });
const event = promptEvent('contract', 'hello');
const toolUseId = String(demoHooks().find((hook) => typeof hook['tool_use_id'] === 'string')?.['tool_use_id']);

const noRestore = () =>
  untilTrue(async () => (await instance.count("restores WHERE state = 'running'")) === 0, undefined, 'no restore');
const noErasure = () =>
  untilTrue(async () => (await instance.count("erasures WHERE state = 'running'")) === 0, undefined, 'no erasure');

/** At least one success of every operation, with as much in its answer as there can be. */
function successes(): ContractRequest[] {
  const { session, learningId, otherLearnings, memoryIds, summaryId, context } = seeds;
  return [
    ['post /hooks/{event}', '/hooks/SessionStart', { body: { session_id: 'contract', cwd: '/src/tally' } }],
    ['post /hooks/{event}', '/hooks/Stop', { body: { session_id: 'contract' } }],
    ['post /events', '/events', { body: event }],
    ['post /events/batch', '/events/batch', { body: [event, event, { ...event, content: 'more' }, { type: 'odd' }] }],
    ['post /events', '/events', { body: { ...event, session_id: 'spare', project: { name: 'spare' } } }],
    ['get /sessions', '/sessions?limit=2'],
    ['get /sessions/{id}', `/sessions/${session}`],
    ['get /sessions/{id}/summaries', `/sessions/${session}/summaries`],
    ['get /sessions/{id}/windows', `/sessions/${session}/windows`],
    ['get /feed', '/feed?limit=100'],
    ['get /feed', `/feed?session=${session}&limit=100`],
    ['get /feed/density', '/feed/density?bucket=100'],
    ['get /sessions/{id}/prompts', `/sessions/${session}/prompts?around=3`],
    ['get /sessions/{id}/observations', `/sessions/${session}/observations?full=true&limit=100`],
    ['get /sessions/{id}/windows', `/sessions/${session}/windows`],
    ['put /sessions/{id}', `/sessions/${session}`, { body: { title: 'A title' } }],
    ['post /sessions/{id}/summaries', `/sessions/${session}/summaries?wait=30`],
    ['post /sessions/{id}/close', '/sessions/test:contract/close'],
    ['get /jobs', '/jobs?limit=100'],
    ['get /jobs/{id}', '/jobs/index.0'],
    ['post /jobs/{id}/retry', '/jobs/index.0/retry'],
    ['post /jobs/{id}/cancel', '/jobs/index.0/cancel'],
    ['get /schedules', '/schedules'],
    ['post /schedules/{name}/pause', '/schedules/partitions/pause', { body: { reason: 'a test' } }],
    ['post /schedules/{name}/resume', '/schedules/partitions/resume'],
    ['post /schedules/{name}/run', '/schedules/partitions/run'],
    ['post /admin/restore', '/admin/restore', { body: NO_BACKUP }],
    ['get /admin/restores', '/admin/restores?limit=2'],
    ['get /admin/restores/{id}', `/admin/restores/${seeds.restoreId}`],
    ['post /admin/drill', '/admin/drill', { body: { backup_id: newId() } }],
    ['post /admin/backup', '/admin/backup'],
    ['get /admin/backups', '/admin/backups?limit=2'],
    ['get /admin/backups/{id}', `/admin/backups/${seeds.backupId}`],
    ['post /admin/backups/{id}/verify', `/admin/backups/${seeds.backupId}/verify`],
    ['post /admin/consistency', '/admin/consistency', { body: {} }],
    ['get /admin/consistency/checks', '/admin/consistency/checks'],
    ['get /admin/consistency/checks/{id}', `/admin/consistency/checks/${seeds.checkId}`],
    ['get /stats', '/stats'],
    ['get /stats/history', '/stats/history'],
    ['get /trace', `/trace?key=${toolUseId}`],
    ['get /full-values/{sha256}', `/full-values/${seeds.valueSha256}`],
    ['post /imports', '/imports', { body: { kind: 'transcripts', directory: folder } }],
    ['get /imports/claude-mem/rows', `/imports/claude-mem/rows?source=${'a'.repeat(32)}`],
    [
      'post /imports/claude-mem/rows',
      `/imports/claude-mem/rows?source=${'a'.repeat(32)}&table=observations`,
      { raw: '{"id":1,"title":"A finding"}\n', headers: { 'content-type': 'application/x-ndjson' } },
    ],
    ['get /imports', '/imports?limit=1'],
    ['get /imports/{id}', `/imports/${seeds.importId}`],
    ['post /imports/{id}/cancel', `/imports/${seeds.importId}/cancel`],
    ['get /transcripts', '/transcripts?machine=m&path=p.jsonl'],
    [
      'post /transcripts',
      `/transcripts?machine=m&path=p.jsonl&fingerprint=f&offset=0&size=3&modified_at=2026-01-02T03:04:05Z&quiet_ms=0`,
      { raw: '{}\n', headers: { 'content-type': 'application/x-ndjson' } },
    ],
    ['get /projects', '/projects'],
    ['get /projects/{id}', '/projects/tally'],
    ['put /projects/{id}', '/projects/tally', { body: { display_name: 'tally' } }],
    ['post /projects/{id}/merge', '/projects/spare/merge', { body: { into: 'tally' } }],
    ['get /admin/reindex', '/admin/reindex'],
    ['post /admin/reindex', '/admin/reindex', { body: { dry_run: true } }],
    ['get /admin/settings', '/admin/settings'],
    ['put /admin/settings/{key}', '/admin/settings/capture.exclude', { body: { value: ['/unused/**'] } }],
    ['put /admin/settings/learnings.visibility', '/admin/settings/learnings.visibility', { body: { value: 'shared' } }],
    ['delete /events/{key}', `/events/${toolUseId}?dry_run=true`],
    ['delete /sessions/{id}', '/sessions/test:spare'],
    ['get /learnings', '/learnings?limit=100'],
    ['post /learnings', '/learnings', { body: { title: 'By hand', description: `By hand ${newId()}` } }],
    ['get /learnings/{id}', `/learnings/${learningId}`],
    ['put /learnings/{id}', `/learnings/${learningId}`, { body: { title: 'B' } }],
    [
      'put /learnings/{id}/visibility',
      `/learnings/${otherLearnings[2]}/visibility`,
      { body: { visibility: 'private' } },
    ],
    ['delete /learnings/{id}', `/learnings/${otherLearnings[0]}`],
    ['post /learnings/{id}/verify', `/learnings/${otherLearnings[1]}/verify`, { body: { note: 'true' } }],
    ['post /learnings/{id}/unverify', `/learnings/${otherLearnings[1]}/unverify`],
    ['post /learnings/{id}/invalidate', `/learnings/${otherLearnings[1]}/invalidate`, { body: { reason: 'over' } }],
    ['post /learnings/{id}/reopen', `/learnings/${otherLearnings[1]}/reopen`, { body: { reason: 'true again' } }],
    [
      'post /learnings/batch',
      '/learnings/batch',
      { body: { action: 'verify', ids: [otherLearnings[1], otherLearnings[2], newId()] } },
    ],
    [
      'post /learnings/{id}/supersede',
      `/learnings/${otherLearnings[2]}/supersede`,
      { body: { by: { title: 'New', description: `New ${newId()}` }, reason: 'newer' } },
    ],
    ['get /summaries/{id}', `/summaries/${summaryId}`],
    ['get /graph', '/graph?limit=200&depth=2'],
    ['get /graph', '/graph?evidence=false'],
    ['get /profile', '/profile?project=tally'],
    ['post /context/{id}/feedback', `/context/${context.id}/feedback`, { body: { useful: [context.items[0]?.hash] } }],
    ['get /contexts', '/contexts?limit=100'],
    ['get /contexts/{id}', `/contexts/${context.id}`],
    ['get /search', '/search?q=invoice&limit=50&explain=true'],
    ['get /search', '/search?q=invoice&group_by=session&include_vectors=true'],
    ['get /search', '/search?q=invoice+yesterday&format=compact'],
    ['post /search/semantic', '/search/semantic', { body: { q: 'invoice' } }],
    ['get /search/suggest', '/search/suggest?q=in'],
    ['post /memories', '/memories', { body: { content: `By hand ${newId()}` } }],
    [
      'post /memories/batch',
      '/memories/batch',
      { body: { memories: [{ content: 'One of a batch' }, { content: 'One of a batch' }, {}] } },
    ],
    ['post /memories/get', '/memories/get', { body: { ids: [memoryHash(summaryId), newId()] } }],
    ['get /memories/{id}', `/memories/${summaryId}`],
    ['get /memories/by-hash/{hash}', `/memories/by-hash/${memoryHash(summaryId)}`],
    ['put /memories/{id}', `/memories/${memoryIds[0]}`, { body: { tags: ['a'] } }],
    ['delete /memories/{id}', `/memories/${memoryIds[1]}`],
    ['get /timeline', `/timeline?anchor=${summaryId}&before=50`],
    ['get /timeline', '/timeline?q=invoice&format=compact'],
    ['post /context', '/context', { body: START }],
    [
      'post /context',
      '/context',
      { body: { purpose: 'prompt', prompt: 'How are invoices rounded?', budget_tokens: 400 } },
    ],
    ['get /admin/audit-log', '/admin/audit-log?limit=2'],
    ['get /admin/audit-log/export', '/admin/audit-log/export?status=2'],
    ['post /admin/audit-log/verify', '/admin/audit-log/verify'],
    ['get /usage', '/usage?group_by=project'],
    ['get /usage', '/usage?group_by=session&by_day=true'],
    ['get /usage/forecast', '/usage/forecast?days=3'],
    ['get /roi', '/roi?minutes_per_memory=5&hourly_usd=80&usd_per_mtok=3'],
    ...gdprSuccesses(seeds.gdpr),
    ...retentionSuccesses(seeds.retention),
    ...accessSuccesses(seeds.access),
    ...logInSuccesses(seeds.logIns),
    ['get /stream/events', '/stream/events?follow=false'],
    ['get /health', '/health'],
    ['get /health', '/health?format=compact'],
    ['get /health/live', '/health/live'],
    ['get /health/ready', '/health/ready'],
    ['get /metrics', '/metrics'],
  ];
}

function failures(reader: string): ContractRequest[] {
  const { session, learningId, summaryId } = seeds;
  return [
    ['post /hooks/{event}', '/hooks/Stop', { body: {} }],
    ['post /hooks/{event}', '/hooks/Stop', { raw: '{' }],
    ['post /hooks/{event}', '/hooks/Stop', { key: reader, body: {} }],
    ['post /events', '/events', { body: { type: 'odd' } }],
    ['post /events', '/events', { key: null, body: event }],
    ['post /events', '/events', { raw: 'x', headers: { 'content-type': 'text/plain' } }],
    ['post /events/batch', '/events/batch', { body: {} }],
    ['get /sessions', '/sessions?limit=1000'],
    ['get /sessions', '/sessions?unknown=1'],
    ['get /sessions/{id}', '/sessions/unknown'],
    ['get /sessions/{id}/summaries', '/sessions/unknown/summaries'],
    ['get /sessions/{id}/windows', '/sessions/unknown/windows'],
    ['get /feed', '/feed?cursor=odd'],
    ['get /feed/density', '/feed/density?bucket=0'],
    ['get /contexts', '/contexts?purpose=odd'],
    ['get /contexts/{id}', `/contexts/${newId()}`],
    ['get /sessions/{id}/prompts', '/sessions/unknown/prompts'],
    ['get /sessions/{id}/observations', '/sessions/unknown/observations'],
    ['put /sessions/{id}', `/sessions/${session}`, { body: { title: '' } }],
    ['post /sessions/{id}/close', '/sessions/unknown/close'],
    ['get /jobs', '/jobs?state=odd'],
    ['get /jobs/{id}', '/jobs/odd'],
    ['post /jobs/{id}/retry', '/jobs/session.odd/retry'],
    ['post /jobs/{id}/cancel', '/jobs/index.7/cancel'],
    ['get /schedules', '/schedules', { key: reader }],
    ['post /schedules/{name}/pause', '/schedules/partitions/pause', { body: {} }],
    ['post /schedules/{name}/resume', '/schedules/odd/resume'],
    ['post /schedules/{name}/run', '/schedules/odd/run'],
    ['post /admin/restore', '/admin/restore', { key: reader }],
    ['get /admin/restores', '/admin/restores?limit=0'],
    ['get /admin/restores/{id}', `/admin/restores/${newId()}`],
    ['post /admin/drill', '/admin/drill', { body: { store: 'relative' } }],
    ['post /admin/backup', '/admin/backup', { key: reader }],
    ['get /admin/backups', '/admin/backups?limit=0'],
    ['get /admin/backups/{id}', '/admin/backups/odd'],
    ['post /admin/backups/{id}/verify', '/admin/backups/odd/verify'],
    ['post /admin/consistency', '/admin/consistency', { body: { odd: true } }],
    ['get /admin/consistency/checks', '/admin/consistency/checks', { key: reader }],
    ['get /admin/consistency/checks/{id}', `/admin/consistency/checks/${newId()}`],
    ['get /stats', '/stats?days=0'],
    ['get /stream/events', '/stream/events?type=odd'],
    ['get /trace', '/trace'],
    ['get /full-values/{sha256}', '/full-values/odd'],
    ['post /imports', '/imports', { body: { kind: 'transcripts', directory: '/' } }],
    ['get /imports/claude-mem/rows', '/imports/claude-mem/rows?source=odd'],
    ['post /imports/claude-mem/rows', '/imports/claude-mem/rows', { body: {} }],
    ['get /imports', '/imports?cursor=odd'],
    ['get /imports/{id}', '/imports/odd'],
    ['post /transcripts', '/transcripts', { body: {} }],
    ['get /projects/{id}', '/projects/unknown'],
    ['put /projects/{id}', '/projects/tally', { body: { aliases_add: ['odd'] } }],
    ['post /projects/{id}/merge', '/projects/tally/merge', { body: { into: 'tally' } }],
    ['get /admin/reindex', '/admin/reindex', { key: reader }],
    ['post /admin/reindex', '/admin/reindex', { body: { odd: true } }],
    ['get /admin/settings', '/admin/settings', { key: reader }],
    ['get /admin/audit-log', '/admin/audit-log?limit=0'],
    ['get /admin/audit-log/export', '/admin/audit-log/export?status=9'],
    ['post /admin/audit-log/verify', '/admin/audit-log/verify', { key: reader }],
    ['put /admin/settings/{key}', '/admin/settings/odd', { body: { value: [] } }],
    ['delete /events/{key}', '/events/nothing'],
    ['delete /sessions/{id}', '/sessions/unknown'],
    ['get /learnings', '/learnings?category=odd'],
    ['post /learnings', '/learnings', { body: {} }],
    ['get /learnings/{id}', '/learnings/odd'],
    ['put /learnings/{id}', `/learnings/${newId()}`, { body: { title: 'B' } }],
    ['put /learnings/{id}', `/learnings/${learningId}`, { body: { title: 'C' } }],
    ['delete /learnings/{id}', `/learnings/${newId()}`],
    ['post /learnings/{id}/verify', '/learnings/odd/verify', { body: {} }],
    ['post /learnings/{id}/unverify', '/learnings/odd/unverify'],
    ['post /learnings/{id}/invalidate', `/learnings/${learningId}/invalidate`, { body: {} }],
    ['post /learnings/{id}/reopen', `/learnings/${newId()}/reopen`, { body: { reason: 'r' } }],
    ['post /learnings/batch', '/learnings/batch', { body: { action: 'odd', ids: [learningId] } }],
    ['post /learnings/{id}/supersede', `/learnings/${learningId}/supersede`, { body: { by: learningId, reason: 'r' } }],
    ['get /summaries/{id}', `/summaries/${newId()}`],
    ['get /graph', '/graph?depth=3'],
    ['get /profile', `/profile?user=${newId()}`],
    ['post /context/{id}/feedback', `/context/${newId()}/feedback`, { body: { useful: ['aaaaaaaa'] } }],
    ['post /memories', '/memories', { body: { content: '' } }],
    ['post /memories', '/memories', { body: { content: 'x' }, key: reader }],
    ['post /memories/batch', '/memories/batch', { body: [] }],
    ['post /memories/get', '/memories/get', { body: { ids: ['odd'] } }],
    ['get /memories/{id}', `/memories/${newId()}`],
    ['get /memories/by-hash/{hash}', '/memories/by-hash/aaaaaaaa'],
    ['put /memories/{id}', `/memories/${summaryId}`, { body: { tags: [] } }],
    ['delete /memories/{id}', `/memories/${summaryId}`],
    ['get /timeline', '/timeline'],
    ['get /search', '/search'],
    ['post /search/semantic', '/search/semantic', { body: {} }],
    ['get /search/suggest', '/search/suggest?q=i'],
    ['get /search', `/search?q=${'x'.repeat(501)}`],
    ['post /context', '/context', { body: { purpose: 'file' } }],
    ['get /usage', '/usage?since=2020-01-01T00:00:00Z'],
    ['get /usage', '/usage?user=unknown', { key: reader }],
    ['get /usage/forecast', '/usage/forecast?days=91'],
    ['get /roi', '/roi?hourly_usd=-1'],
    ...gdprFailures(reader, seeds.gdpr),
    ...retentionFailures(reader),
    ...accessFailures(reader, seeds.access),
    ...logInFailures(seeds.logIns),
    ['get /metrics', '/metrics', { key: reader }],
    ['get /metrics', '/metrics', { key: null }],
  ];
}

describe('real answers and the document', () => {
  test(
    'agree on every success',
    async () => {
      for (const request of successes()) {
        // One at a time, and the one before ends by itself.
        if (request[1] === '/admin/drill') await noRestore();
        // A hold on the tenant is refused while something of it is being erased.
        if (request[0] === 'post /admin/legal-holds') await noErasure();
        expect([request[0], (await ask(instance, contract, request)).faults]).toEqual([request[0], []]);
      }
      const elsewhere = new Set(PLAYED_ELSEWHERE.map((operation) => operation.replace(' ', ` ${V1}`)));
      const versioned = contract.operations.filter((operation) => operation.includes(V1) && !elsewhere.has(operation));
      expect([...contract.seen].toSorted()).toEqual(versioned.toSorted());
    },
    BUSY_MS,
  );

  test('agree on refusals', async () => {
    const { key } = await instance.stranger({ scopes: ['read'] });
    for (const request of failures(key)) {
      const conformance = await ask(instance, contract, request);
      expect([request[0], conformance.faults]).toEqual([request[0], []]);
      expect(Object.values(ERROR_STATUS)).toContain(conformance.status);
    }
  });

  test('are compared in earnest: an answer that is wrong, or of an unknown status, is found', async () => {
    const answer = await instance.get(`/sessions/${seeds.session}`);
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

/** Open routes whose request needs a body, a name or a cookie: the status without it, of one method where another needs none. */
const NOT_EMPTY: Readonly<Record<string, number>> = {
  'post /auth/browser': 422,
  '/auth/invites/accept': 422,
  '/auth/login': 422,
  '/auth/refresh': 401,
  '/auth/mfa/verify': 422,
  '/auth/mfa/recovery': 422,
  '/auth/oidc/{name}/start': 422,
  '/auth/oidc/{name}/callback': 422,
  '/auth/passkeys/verify': 422,
};

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
  test('is OpenAPI 3.1 and names every route, beside itself, its browsable page, the viewer and MCP, which describes itself', async () => {
    expect(contract.document.openapi).toBe('3.1.0');
    const undescribed = new Set([`get ${V1}/openapi.json`, 'get /', 'get /assets/{file}']);
    const routes = (await registeredRoutes()).filter(
      (route) => !route.startsWith('get /docs') && !undescribed.has(route) && !route.endsWith('/mcp'),
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
    const decided = Object.entries(ROUTE_RIGHTS).flatMap(([name, right]) => {
      const [method = '', route = ''] = name.replaceAll(/:(\w+)/g, '{$1}').split(' ');
      if (right !== 'open' || route === '/openapi.json') return [];
      return ['', V1].map((prefix) => `${method.toLowerCase()} ${prefix}${route}`);
    });
    expect(open.toSorted()).toEqual(decided.filter((name) => contract.operations.includes(name)).toSorted());
  });

  test('describes access as it is: without a key only open operations respond', async () => {
    for (const name of contract.operations.filter((operation) => operation.includes(V1))) {
      const [method = '', route = ''] = name.split(' ');
      const answer = await inTime(() =>
        instance.call(method.toUpperCase(), route.slice(V1.length).replace('{event}', 'Stop').replace('{id}', 'x'), {
          key: null,
          ...(method === 'post' ? { body: {} } : {}),
        }),
      );
      const isOpen = contract.document.paths[route]?.[method]?.security?.length === 0;
      const path = route.slice(V1.length);
      const expected = NOT_EMPTY[`${method} ${path}`] ?? NOT_EMPTY[path] ?? 200;
      expect([name, answer.status]).toEqual([name, isOpen ? expected : 401]);
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
