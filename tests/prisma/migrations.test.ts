import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { atDatabase } from '../../prisma/migration-adapter.ts';
import type { DatabaseAddress } from '../../prisma/migration-adapter.ts';
import { withSchemaEngine } from '../../prisma/schema-engine.ts';
import { fileDatabase } from '../setup/database.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NO_DRIFT = '-- This is an empty migration.';
const DIFF = `const { withSchemaEngine } = await import(process.argv[1]);
process.stdout.write(await withSchemaEngine(JSON.parse(process.argv[2]), (engine) => engine.diff()));`;
const db = fileDatabase();
let address: DatabaseAddress;

beforeAll(async () => {
  // A shadow database may be made by the superuser alone.
  address = { connectionString: db.url('superuser') };
});

/** The schema engine over a copy of the prisma folder, with one more migration. */
async function diffWith(migration: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'recollect-prisma-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    cpSync(join(ROOT, 'prisma'), join(folder, 'prisma'), {
      recursive: true,
      filter: (source) => !source.endsWith('/generated'),
    });
    mkdirSync(join(folder, 'prisma/migrations/9999_by_hand'));
    writeFileSync(join(folder, 'prisma/migrations/9999_by_hand/migration.sql'), migration);
    // In a process of its own: the engine's glue allows one instance per process.
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      DIFF,
      pathToFileURL(join(folder, 'prisma/schema-engine.ts')).href,
      JSON.stringify(address),
    ]);
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('migrations and schema', () => {
  test('say the same', async () => {
    expect((await withSchemaEngine(address, (engine) => engine.diff())).trim()).toBe(NO_DRIFT);
  });

  test('a deployed database is left as it is by deploying again', async () => {
    const before = await db.rows(
      'SELECT migration_name, finished_at, applied_steps_count FROM _prisma_migrations ORDER BY migration_name',
    );
    expect(await withSchemaEngine(address, (engine) => engine.deploy())).toEqual([]);
    expect(await withSchemaEngine(address, (engine) => engine.deploy())).toEqual([]);
    expect(
      await db.rows(
        'SELECT migration_name, finished_at, applied_steps_count FROM _prisma_migrations ORDER BY migration_name',
      ),
    ).toEqual(before);
    expect(before.length).toBeGreaterThanOrEqual(1);
  });

  test('a diff leaves no shadow database and no table behind', async () => {
    const tables = 'SELECT count(*)::integer AS n FROM pg_class';
    const before = await db.rows(tables);
    await withSchemaEngine(address, (engine) => engine.diff());
    expect(await db.rows(tables)).toEqual(before);
    expect(await db.rows("SELECT datname FROM pg_database WHERE datname LIKE 'prisma_migrate_shadow_db_%'")).toEqual(
      [],
    );
  });

  test('a migration that fails reports why, and blocks the next one', async () => {
    const url = new URL(db.url('superuser'));
    const name = `${db.name}_broken`;
    await db.superuser.query(`CREATE DATABASE ${name}`);
    try {
      // The first migration finds a table of its own there already.
      const other = new pg.Client({
        connectionString: `${url.protocol}//${url.username}:${url.password}@${url.host}/${name}`,
      });
      await other.connect();
      await other.query(
        'CREATE TABLE tenants (id integer); CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)',
      );
      await other.end();
      const deploy = () =>
        withSchemaEngine({ connectionString: atDatabase(db.url('superuser'), name) }, (engine) => engine.deploy());
      await expect(deploy()).rejects.toThrow(/the migration was refused: relation "tenants" already exists/);
      await expect(deploy()).rejects.toThrow(/P3009|failed migrations/);
    } finally {
      await db.superuser.query(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  });

  test.each([
    ['a column', 'ALTER TABLE sessions ADD COLUMN mood text;', /DROP COLUMN "mood"/],
    ['an index less', 'DROP INDEX sessions_user_id_idx;', /CREATE INDEX "sessions_user_id_idx"/],
    [
      'another default',
      "ALTER TABLE sessions ALTER COLUMN namespace SET DEFAULT 'other';",
      /ALTER TABLE "sessions" ALTER COLUMN "namespace" SET DEFAULT 'default'/,
    ],
    [
      'a foreign key less',
      'ALTER TABLE windows DROP CONSTRAINT windows_session_id_fkey;',
      /ADD CONSTRAINT "windows_session_id_fkey"/,
    ],
  ])('a migration made by hand that the schema does not know is seen: %s', async (_what, migration, expected) => {
    expect(await diffWith(migration)).toMatch(expected);
  });
});

describe('the catalogue', () => {
  test('every foreign key is indexed by its columns in front', async () => {
    const keys = `SELECT c.conname AS name FROM pg_constraint c
      WHERE c.contype = 'f' AND c.conparentid = 0 AND c.connamespace = 'public'::regnamespace`;
    const bare = `${keys} AND NOT EXISTS (
      SELECT 1 FROM pg_index i
       WHERE i.indrelid = c.conrelid AND i.indpred IS NULL AND i.indisvalid
         AND (SELECT array_agg(k ORDER BY k) FROM unnest((i.indkey::smallint[])[0:cardinality(c.conkey) - 1]) AS k) = (SELECT array_agg(k ORDER BY k) FROM unnest(c.conkey) AS k))`;
    expect((await db.rows(keys)).length).toBeGreaterThan(10);
    expect(await db.rows(bare)).toEqual([]);
    await db.owner.query('CREATE TABLE unindexed (id integer, session_id uuid REFERENCES sessions)');
    expect(await db.rows(bare)).toEqual([{ name: 'unindexed_session_id_fkey' }]);
    await db.owner.query('DROP TABLE unindexed');
  });

  test('no foreign key points into a partitioned table or one of its parts', async () => {
    const pointing = `SELECT c.conname AS name FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid
      WHERE c.contype = 'f' AND c.conparentid = 0 AND (t.relkind = 'p' OR t.relispartition)`;
    expect(await db.rows(pointing)).toEqual([]);
    await db.owner.query('CREATE TABLE pointing (prompt_id uuid REFERENCES prompts)');
    expect(await db.rows(pointing)).toEqual([{ name: 'pointing_prompt_id_fkey' }]);
    await db.owner.query('DROP TABLE pointing');
  });
});
