import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fileInstance } from '../setup/file-instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';

const RUNBOOKS = fileURLToPath(new URL('../../docs/runbooks', import.meta.url));
const instance = fileInstance();

/** Alerts with their query, by name. */
const queries = new Map(
  readdirSync(RUNBOOKS)
    .filter((file) => file.startsWith('alerts-'))
    .flatMap((file) => readFileSync(path.join(RUNBOOKS, file), 'utf8').split(/^## /m))
    .flatMap((section) => {
      const sql = /^ *```sql\n(?<sql>[^`]+)```$/m.exec(section)?.groups?.['sql'];
      return sql === undefined ? [] : [[section.split('\n')[0] ?? '', sql] as const];
    }),
);

test('queries of runbooks name the tenant that an alert is about', async () => {
  const { tenantId, userId } = await instance.stranger({ role: 'admin' });
  const name = await instance.text('SELECT name AS value FROM tenants WHERE id = $1', [tenantId]);
  const audited = (action: string) =>
    instance.db.superuser.query(
      `INSERT INTO audit_log (id, tenant_id, seq, occurred_at, action, subject_type, subject_id, status, request_id, address, user_agent, origin_sha256, previous_hash, hash)
       SELECT uuidv7(), $1, coalesce(max(seq), 0) + 1, now(), $2, 'users', $3, 401, 'r', '192.0.2.1', 'probe/1', sha256(''), sha256(''), sha256('') FROM audit_log WHERE tenant_id = $1`,
      [tenantId, action, userId],
    );
  await audited('POST /auth/login');
  await audited('POST /auth/refresh');
  await instance.write(
    `INSERT INTO oauth_grants (id, tenant_id, user_id, client_id, client_name, client_host, expires_at, ended_at, end_reason)
     VALUES (uuidv7(), $1, $2, 'c', 'Client', 'client.example', now(), now(), 'reuse')`,
    [tenantId, userId],
  );
  await instance.write(
    `INSERT INTO system_alerts (id, tenant_id, user_id, type, day, details) VALUES (uuidv7(), $1, $2, 'audit_log_fault', now(), '{"seq": 7}')`,
    [tenantId, userId],
  );
  await instance.write(
    `INSERT INTO gdpr_requests (id, tenant_id, user_id, right_name, kind, state, due_at) VALUES (uuidv7(), $1, $2, 'export', 'user', 'waiting', now() - interval '1 day')`,
    [tenantId, userId],
  );
  await instance.write(
    `UPDATE users SET tokens_used_today = 9000, tokens_used_on = (now() AT TIME ZONE 'UTC')::date WHERE id = $1`,
    [userId],
  );
  await captured(instance, smallSession('unfindable'));

  const rows = async (alert: string) =>
    JSON.stringify((await instance.db.maintenance.query(queries.get(alert) ?? '')).rows);
  expect([...queries.keys()].toSorted()).toEqual([
    'RecollectAuditBroken',
    'RecollectBudget',
    'RecollectGdprOverdue',
    'RecollectLoginAttack',
    'RecollectRefreshReuse',
    'RecollectUnfindable',
  ]);
  expect(await rows('RecollectAuditBroken')).toMatch(new RegExp(`"name":"${name}".*"seq":7`));
  expect(await rows('RecollectBudget')).toMatch(new RegExp(`^\\[\\{"name":"${name}".*"tokens_used_today":9000`));
  expect(await rows('RecollectGdprOverdue')).toMatch(new RegExp(`^\\[\\{"name":"${name}","count":"1"`));
  expect(await rows('RecollectLoginAttack')).toMatch(
    new RegExp(`"name":"${name}","user_id":"${userId}","address":"192.0.2.1"`),
  );
  expect(await rows('RecollectRefreshReuse')).toMatch(/(?=.*"user_agent":"probe\/1")(?=.*"user_agent":"Client")/);
  expect(await rows('RecollectUnfindable')).toMatch(/"rows":[1-9]/);
});
