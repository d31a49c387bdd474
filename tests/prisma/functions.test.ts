import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { applyFunctions } from '../../prisma/apply-functions.ts';
import type { DatabaseAddress } from '../../prisma/migration-adapter.ts';
import { withSchemaEngine } from '../../prisma/schema-engine.ts';
import { createTestDatabase } from '../setup/database.ts';
import type { TestDatabase } from '../setup/database.ts';

const FUNCTIONS = fileURLToPath(new URL('../../prisma/sql/functions', import.meta.url));
let db: TestDatabase;
let address: DatabaseAddress;
let folder: string;

beforeEach(async () => {
  db = await createTestDatabase();
  address = { connectionString: db.url('owner') };
  folder = mkdtempSync(join(tmpdir(), 'recollect-functions-'));
  cpSync(FUNCTIONS, folder, { recursive: true });
});
afterEach(async () => {
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Applied {
  readonly oid: number;
  readonly owner: string;
  readonly arguments: string;
  readonly acl: string;
}

/** Functions in the database that a file of the folder created, by name. */
async function applied(): Promise<Record<string, Applied>> {
  const rows = await db.rows<Applied & { name: string }>(
    `SELECT proname AS name, oid, proowner::regrole::text AS owner, pg_get_function_arguments(oid) AS arguments, proacl::text AS acl FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') LIKE 'sha256:%' ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ name, ...row }) => [name, row]));
}

function edit(name: string, change: (sql: string) => string): void {
  const file = join(folder, `${name}.sql`);
  const before = readFileSync(file, 'utf8');
  expect(change(before)).not.toBe(before);
  writeFileSync(file, change(before));
}

test('leaves unchanged functions as they are', async () => {
  const before = await applied();
  expect(Object.keys(before)).toContain('capture_events');
  expect(await applyFunctions(address, folder)).toEqual([]);
  expect(await applied()).toEqual(before);
});

test('creates a changed function again, with another signature and without its old grant, and no other', async () => {
  const { update_session_phase: old, ...others } = await applied();
  edit('update_session_phase', (sql) =>
    sql.replace('new_workflow text)', 'new_workflow text, extra integer)').replace(/^GRANT .*\n/mu, ''),
  );
  expect(await applyFunctions(address, folder)).toEqual(['update_session_phase']);
  const { update_session_phase: now, ...rest } = await applied();
  expect(rest).toEqual(others);
  expect(old?.acl).toContain('recollect_app');
  expect(now).toEqual({
    oid: expect.any(Number),
    owner: 'recollect_definer',
    arguments: `${old?.arguments}, extra integer`,
    acl: '{recollect_definer=X/recollect_definer}',
  });
  expect(await applyFunctions(address, folder)).toEqual([]);
});

test('drops a function whose file is missing, and creates the function of a new file', async () => {
  const { update_session_phase: _dropped, ...others } = await applied();
  rmSync(join(folder, 'update_session_phase.sql'));
  // Named before the function that it calls.
  const added = 'CREATE FUNCTION a_new_one() RETURNS boolean LANGUAGE sql AS $$ SELECT b_new_one() $$;';
  writeFileSync(join(folder, 'a_new_one.sql'), added);
  writeFileSync(
    join(folder, 'b_new_one.sql'),
    'CREATE FUNCTION b_new_one() RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;',
  );
  const released = new Set(['capture_events']);
  expect(await applyFunctions(address, folder, released)).toEqual(['a_new_one', 'b_new_one']);
  expect(await applied()).toEqual({ ...others, a_new_one: expect.anything(), b_new_one: expect.anything() });
  const left = await db.rows("SELECT FROM pg_proc WHERE proname = 'update_session_phase'");
  expect(left.length).toBe(0);
});

test('leaves a function of the released version whose file is missing, as processes of that version call it', async () => {
  const before = await applied();
  rmSync(join(folder, 'update_session_phase.sql'));
  expect(await applyFunctions(address, folder)).toEqual([]);
  expect(await applied()).toEqual(before);
});

test('changes nothing if one file is refused, and names the file', async () => {
  const before = await applied();
  rmSync(join(folder, 'update_session_phase.sql'));
  edit('request_backup', (sql) => sql.replace('RETURNS SETOF backups', 'RETURNS SETOF backupz'));
  await expect(applyFunctions(address, folder)).rejects.toThrow(
    'prisma/sql/functions/request_backup.sql was refused: type "backupz" does not exist',
  );
  expect(await applied()).toEqual(before);
});

test('a deploy up to a migration applies no functions, and the next full deploy applies all', async () => {
  const all = Object.keys(await applied());
  for (const name of all) await db.owner.query(`DROP FUNCTION ${name} CASCADE`);
  await withSchemaEngine(address, (engine) => engine.deploy('0001_baseline'));
  expect(await applied()).toEqual({});
  expect(await withSchemaEngine(address, (engine) => engine.deploy())).toEqual([]);
  expect(Object.keys(await applied())).toEqual(all);
});
