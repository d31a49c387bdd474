import { createHash } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../../domain/ids.ts';
import { linesOf } from '../../../activities/export-import/lines.ts';
import { readRows } from '../../../activities/export-import/read-rows.ts';
import { fileDatabase } from '../../setup/database.ts';
import type { TestUser } from '../../setup/database.ts';
import { exported, inPieces, maintenancePool } from './support/lines-of.ts';

const db = fileDatabase();
let all: pg.Pool;
let exporter: TestUser;
let importer: TestUser;
let victim: TestUser;

beforeAll(async () => {
  all = maintenancePool(db);
  [exporter, importer, victim] = [
    await db.createUser({ role: 'admin' }),
    await db.createUser({ role: 'admin' }),
    await db.createUser({ role: 'admin' }),
  ];
});
afterAll(async () => {
  await all.end();
});

/** An export file of another instance with forged rows and a valid checksum. */
async function forged(rows: readonly Readonly<Record<string, unknown>>[]): Promise<string> {
  const text = await exported(all, { kind: 'tenant', tenantId: exporter.tenantId, subject: null });
  const lines = text.trimEnd().split('\n');
  const end: unknown = JSON.parse(lines.pop() ?? '');
  const all_ = [...lines, ...rows.map((row) => JSON.stringify({ table: 'settings', row }))];
  const body = all_.map((line) => `${line}\n`).join('');
  const sha256 = createHash('sha256').update(body).digest('hex');
  return `${body}${JSON.stringify(end).replace(/[0-9a-f]{64}/, sha256)}\n`;
}

const setting = (scope: string, scopeId: string, more: Readonly<Record<string, unknown>> = {}) => ({
  id: newId(),
  tenant_id: exporter.tenantId,
  scope,
  scope_id: scopeId,
  key: 'capture.exclude',
  value: ['**/forged/**'],
  sensitive: false,
  encrypted_value: null,
  ...more,
});

test("an import sets the tenant's settings alone: none of the instance, another tenant or its projects", async () => {
  const projects = [await db.createProject(importer), await db.createProject(victim)];
  const text = await forged([
    setting('system', ''),
    setting('system', 'capture'),
    setting('tenant', victim.tenantId),
    setting('tenant', newId()),
    setting('project', projects[1] ?? ''),
    setting('project', newId()),
    setting('tenant', exporter.tenantId, { key: 'secret', sensitive: true }),
    setting('tenant', exporter.tenantId, { key: 'sealed', encrypted_value: '\\x00' }),
    setting('tenant', exporter.tenantId),
    setting('project', projects[0] ?? ''),
  ]);
  const { read, written } = await readRows(all, linesOf(inPieces(text)), importer.tenantId, {
    index: { name: 'm', dimension: 3 },
  });
  expect([read['settings'], written['settings']]).toEqual([10, 2]);
  const rows = await db.rows('SELECT scope, scope_id, tenant_id FROM settings ORDER BY scope');
  expect(rows).toEqual([
    { scope: 'project', scope_id: projects[0], tenant_id: importer.tenantId },
    { scope: 'tenant', scope_id: importer.tenantId, tenant_id: importer.tenantId },
  ]);
});

test("the policies reject a tenant's writes to settings of the instance or another tenant", async () => {
  for (const [scope, scopeId] of [
    ['system', ''],
    ['tenant', victim.tenantId],
  ])
    await expect(
      db.write('INSERT INTO settings (id, scope, tenant_id, scope_id, key) VALUES ($1, $2, $3, $4, $5)', [
        newId(),
        scope,
        importer.tenantId,
        scopeId,
        'k',
      ]),
    ).rejects.toThrow('settings_scope_tenant');
});
