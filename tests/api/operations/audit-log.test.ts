import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { auditEntrySchema, auditPage, auditVerification } from '../../../contract/audit.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import type { TestUser } from '../../setup/database.ts';
import { makeKey } from '../support/access.ts';
import { bodyOf, expectError, idIn } from '../support/answers.ts';

const instance = fileInstance();
const SECRET = 'hunter2-correct-horse-battery';

/** Rows of a tenant, in order, without the reads of the log itself. */
const rowsOf = ({ tenantId }: Pick<TestUser, 'tenantId'>) =>
  instance.rows<{ action: string; status: number; subject_id: string | null; actor_id: string; address: string }>(
    `SELECT l.action, l.status, l.subject_type, l.subject_id, l.actor_id, l.credential_kind, l.credential_id, l.request_id, l.address, l.user_agent
       FROM audit_log l WHERE l.tenant_id = $1 AND l.action NOT LIKE '% /admin/audit-log%' ORDER BY l.seq`,
    [tenantId],
  );
const admin = () => instance.stranger({ role: 'admin' });
/** Names of a row, by its fields. */
const namesIn = (page: z.output<typeof auditPage>, action: string) =>
  page.data
    .filter((entry) => entry.action === action)
    .map(({ user_name, credential_name, subject_name }) => [user_name, credential_name, subject_name]);
const listed = async (query: string, key: string) =>
  bodyOf(auditPage, await instance.get(`/admin/audit-log${query}`, key));

test('the list names the user, the key, and users, keys and projects as subjects, by their present names', async () => {
  const owner = await admin();
  const person = await instance.db.createUser({ tenantId: owner.tenantId });
  await instance.put(`/admin/users/${person.userId}`, { email: null }, owner.key);
  const { key } = await makeKey(instance, { name: 'laptop', scopes: ['read'] }, owner.key);
  await instance.delete(`/admin/api-keys/${key.id}`, owner.key);
  const project = randomUUID();
  await instance.write("INSERT INTO projects (id, tenant_id, display_name) VALUES ($1, $2, 'tally')", [
    project,
    owner.tenantId,
  ]);
  await instance.put(`/projects/${project}`, { display_name: 'abacus' }, owner.key);
  await instance.put(`/projects/${randomUUID()}`, { display_name: 'x' }, owner.key);
  const [names] = await instance.rows<{ username: string; name: string }>(
    'SELECT u.username, k.name FROM users u JOIN api_keys k ON k.user_id = u.id WHERE u.id = $1',
    [owner.userId],
  );
  const [stored] = await instance.rows<{ username: string }>('SELECT username FROM users WHERE id = $1', [
    person.userId,
  ]);
  const by = [names?.username, names?.name];
  const page = await listed('?limit=50', owner.key);
  expect(namesIn(page, 'PUT /admin/users/:id')).toEqual([[...by, stored?.username]]);
  expect(namesIn(page, 'DELETE /admin/api-keys/:id')).toEqual([[...by, 'laptop']]);
  expect(namesIn(page, 'PUT /projects/:id')).toEqual([
    [...by, null],
    [...by, 'abacus'],
  ]);
  await instance.write('DELETE FROM users WHERE id = $1', [person.userId]);
  expect(namesIn(await listed('?limit=50', owner.key), 'PUT /admin/users/:id')).toEqual([[...by, null]]);
  expect((await instance.get('/admin/audit-log/export', owner.key)).body).toContain('"subject_name":"abacus"');
});

describe('requests that are recorded', () => {
  test('are changes, with user, key, subject, status, address and request id, before the answer; a request id that is no id is hashed', async () => {
    const owner = await admin();
    const created = await instance.call('POST', '/learnings', {
      key: owner.key,
      body: { title: 'Cents', description: 'Prices are integer cents' },
      headers: { 'x-request-id': 'name.of-a-person', 'user-agent': 'probe/1' },
    });
    const id = idIn(created);
    const deleted = await instance.delete(`/learnings/${id}`, owner.key);
    await instance.delete(`/learnings/${id}`, owner.key);
    const [keyId] = await instance.rows<{ id: string }>('SELECT id FROM api_keys WHERE user_id = $1', [owner.userId]);
    const shared = {
      actor_id: owner.userId,
      credential_kind: 'key',
      credential_id: keyId?.id,
      address: '127.0.0.1',
      subject_type: 'learnings',
    };
    expect(await rowsOf(owner)).toMatchObject([
      {
        ...shared,
        action: 'POST /learnings',
        status: 201,
        subject_id: id,
        request_id: expect.stringMatching(/^sha256:[0-9a-f]{32}$/),
        user_agent: 'probe/1',
      },
      {
        ...shared,
        action: 'DELETE /learnings/:id',
        status: 200,
        subject_id: id,
        request_id: deleted.headers.get('x-request-id'),
      },
      { ...shared, action: 'DELETE /learnings/:id', status: 404, subject_id: id },
    ]);
  });

  test('are reads of admin routes, and not captures, searches and context', async () => {
    const owner = await admin();
    await instance.get('/admin/settings', owner.key);
    await instance.get('/gdpr/requests', owner.key);
    const event = { type: 'prompt', host: 'test', session_id: 'quiet', content: 'a prompt' };
    await instance.post('/events', event, owner.key);
    await instance.get('/search?q=prompt', owner.key);
    await instance.post('/search/semantic', { q: 'prompt' }, owner.key);
    await instance.post('/context', { purpose: 'session_start' }, owner.key);
    await instance.get('/sessions', owner.key);
    expect((await rowsOf(owner)).map(({ action }) => action)).toEqual(['GET /admin/settings', 'GET /gdpr/requests']);
  });

  test('are refused requests of a known key on every route, and none of an unknown key', async () => {
    const owner = await admin();
    const viewer = await instance.db.createUser({ tenantId: owner.tenantId, role: 'viewer' });
    await instance.get('/admin/settings', viewer.key);
    await instance.post('/events', { type: 'prompt', host: 'test', session_id: 's', content: 'x' }, viewer.key);
    await instance.get('/schedules', owner.key);
    const before = await instance.count('audit_log');
    expectError(await instance.get('/admin/settings', `rcl_test_${randomUUID()}`), 'INVALID_API_KEY');
    expect(await instance.count('audit_log')).toBe(before);
    expect(await rowsOf(owner)).toMatchObject([
      { actor_id: viewer.userId, action: 'GET /admin/settings', status: 403 },
      { actor_id: viewer.userId, action: 'POST /events', status: 403 },
      { actor_id: owner.userId, action: 'GET /schedules', status: 403 },
    ]);
  });

  test('of an MCP tool are recorded once, with the address and agent of its caller', async () => {
    const owner = await admin();
    await instance.call('POST', '/mcp', {
      key: owner.key,
      body: {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'remember', arguments: { content: 'Prices are integer cents' } },
      },
      headers: {
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-06-18',
        'user-agent': 'agent/1',
        'x-recollect-caller-address': '10.9.9.9',
      },
    });
    expect(await rowsOf(owner)).toMatchObject([
      { action: 'POST /memories', address: '127.0.0.1', user_agent: 'agent/1', status: 201 },
    ]);
  });

  test('contain no content and no secrets', async () => {
    const owner = await admin();
    const token = 'ghp_aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5';
    await instance.call('POST', '/memories', {
      key: owner.key,
      body: { content: `the password is ${SECRET}` },
      headers: { 'user-agent': `probe ${token}` },
    });
    await instance.delete(`/events/${SECRET}?session=${SECRET}`, owner.key);
    await instance.delete(`/memories/${SECRET}`, owner.key);
    await instance.put(`/admin/settings/${SECRET}`, { value: [SECRET] }, owner.key);
    await instance.post('/gdpr/erase', { kind: 'text', text: SECRET, dry_run: true }, owner.key);
    await instance.post('/memories', { content: 7, [SECRET]: SECRET }, owner.key);
    const rows = JSON.stringify(await rowsOf(owner));
    expect(rows).toMatch(/sha256:[0-9a-f]{32}/);
    expect(rows).toContain('POST /gdpr/erase');
    for (const secret of [SECRET, token, owner.key]) expect(rows).not.toContain(secret);
  });

  test('are answered with 503 where the row cannot be stored, and counted', async () => {
    const owner = await admin();
    const failures = async () =>
      /recollect_audit_failures_total (\d+)/.exec(String((await instance.get('/metrics')).body))?.[1];
    await instance.db.owner.query('ALTER FUNCTION append_audit RENAME TO append_audit_away');
    try {
      expectError(await instance.get('/admin/settings', owner.key), 'STORAGE_UNAVAILABLE');
      expectError(await instance.get('/admin/audit-log/export', owner.key), 'STORAGE_UNAVAILABLE');
      expectError(await instance.get('/schedules', owner.key), 'FORBIDDEN');
    } finally {
      await instance.db.owner.query('ALTER FUNCTION append_audit_away RENAME TO append_audit');
    }
    expect(await failures()).toBe('3');
    expect((await instance.get('/admin/settings', owner.key)).status).toBe(200);
  });
});

describe('GET /admin/audit-log', () => {
  test('filters by user, action, subject, time and status, in pages, and records the reads', async () => {
    const owner = await admin();
    const member = await instance.db.createUser({ tenantId: owner.tenantId });
    const ids: string[] = [];
    for (const user of [owner, member, owner])
      ids.push(idIn(await instance.post('/learnings', { title: 'One', description: randomUUID() }, user.key)));
    await instance.get('/admin/settings', member.key);
    expect((await listed(`?user=${member.userId}`, owner.key)).data).toMatchObject([
      { action: 'GET /admin/settings', status: 403, user_id: member.userId },
      { action: 'POST /learnings', status: 201, subject_id: ids[1] },
    ]);
    expect((await listed(`?subject=${ids[2] ?? ''}`, owner.key)).data).toMatchObject([{ user_id: owner.userId }]);
    expect((await listed('?status=4', owner.key)).data).toHaveLength(1);
    expect((await listed('?since=2999-01-01T00:00:00Z', owner.key)).data).toEqual([]);
    expect((await listed('?until=2020-01-01T00:00:00Z', owner.key)).data).toEqual([]);
    const action = encodeURIComponent('POST /learnings');
    const first = await listed(`?action=${action}&limit=2`, owner.key);
    const second = await listed(`?action=${action}&limit=2&cursor=${first.next_cursor ?? ''}`, owner.key);
    expect([...first.data, ...second.data].map(({ subject_id: id }) => id)).toEqual(ids.toReversed());
    expect(second.next_cursor).toBeNull();
    expect((await listed(`?action=${encodeURIComponent('GET /admin/audit-log')}`, owner.key)).data).toHaveLength(7);
    expectError(await instance.get('/admin/audit-log?cursor=abc', owner.key), 'VALIDATION_FAILED', 'cursor');
  });

  test('shows no rows of another tenant, by any route', async () => {
    const [one, other] = [await admin(), await admin()];
    const id = idIn(await instance.post('/learnings', { title: 'One', description: 'Its own' }, one.key));
    expect((await listed(`?user=${one.userId}`, other.key)).data).toEqual([]);
    expect((await listed(`?subject=${id}`, other.key)).data).toEqual([]);
    expect(String((await instance.get('/admin/audit-log/export', other.key)).body)).not.toContain(one.userId);
    expect(bodyOf(auditVerification, await instance.post('/admin/audit-log/verify', undefined, other.key)).ok).toBe(
      true,
    );
  });

  test('exports 5,000 rows as NDJSON, each once and newest first', async () => {
    const owner = await admin();
    await instance.db.database.pool.query(
      `SELECT append_audit($1, $2, NULL, NULL, 'POST /probe', NULL, NULL, 200, n::text, '::1', NULL) FROM generate_series(1, 5000) AS n`,
      [owner.tenantId, owner.userId],
    );
    const answer = await instance.get(`/admin/audit-log/export?action=${encodeURIComponent('POST /probe')}`, owner.key);
    const rows = String(answer.body)
      .trimEnd()
      .split('\n')
      .map((line) => auditEntrySchema.parse(JSON.parse(line)));
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 5_000 }, (_, n) => 5_000 - n));
    const verified = await instance.post('/admin/audit-log/verify', undefined, owner.key);
    expect(bodyOf(auditVerification, verified)).toEqual({ ok: true, checked: 5_001, first_fault: null });
  });
});

test('POST /admin/audit-log/verify names the first fault', async () => {
  const owner = await admin();
  for (let n = 0; n < 3; n += 1) await instance.get('/admin/settings', owner.key);
  await instance.db.superuser.query('UPDATE audit_log SET status = 403 WHERE tenant_id = $1 AND seq = 2', [
    owner.tenantId,
  ]);
  const { body } = await instance.post('/admin/audit-log/verify', undefined, owner.key);
  expect(z.looseObject({}).parse(body)).toMatchObject({ ok: false, first_fault: { seq: 2, kind: 'changed' } });
});

test('refusals of a key are recorded up to a number per minute; the others are counted', async () => {
  const viewer = await instance.user({ role: 'viewer' });
  const statuses = new Set([(await instance.get('/metrics', viewer.key)).status]);
  // It began with the first of them, and does not end before the last one, however long they take.
  await instance.db.superuser.query(
    "UPDATE rate_limits SET ends_at = ends_at + interval '1 hour' WHERE bucket LIKE 'refused:%'",
  );
  for (let n = 1; n < 130; n += 1) statuses.add((await instance.get('/metrics', viewer.key)).status);
  expect(statuses).toEqual(new Set([403]));
  expect(await instance.count('audit_log WHERE actor_id = $1 AND status = 403', [viewer.userId])).toBe(120);
  expect(String((await instance.get('/metrics')).body)).toContain('recollect_rate_limited_total{class="refusal"} 10');
});
