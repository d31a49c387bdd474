import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';
import { applyFunctions } from './apply-functions.ts';
import { knownMigrations, MIGRATIONS } from './known-migrations.ts';
import { MigrationAdapterFactory } from './migration-adapter.ts';
import type { DatabaseAddress } from './migration-adapter.ts';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const SCHEMA = join(FOLDER, 'schema.prisma');
const NO_FILTERS = { externalTables: [], externalEnums: [] };

export interface SchemaEngine {
  /** Removes the records of unfinished migrations: PostgreSQL rolled each back, because it runs a script as one transaction. */
  forgetUnfinished(names: readonly string[]): Promise<void>;
  /**
   * Applies missing migrations in order, up to the named one; returns the names applied. Without a name it applies the functions of prisma/sql, too:
   * they need the newest tables. Throws on a failed migration and leaves it marked as failed.
   */
  deploy(upTo?: string): Promise<readonly string[]>;
  /** SQL that would bring a database made by the migrations to the schema; '-- This is an empty migration.' when they agree. */
  diff(): Promise<string>;
}

let loaded = false;

/** Prisma's schema engine as WebAssembly inside this process: no native binary, no download. */
function loadEngine(): void {
  if (loaded) return;
  // The engine reports a panic through this global; without it a panic hides itself.
  Object.assign(globalThis, {
    PRISMA_WASM_PANIC_REGISTRY: { set_message: (message: string) => process.stderr.write(`${message}\n`) },
  });
  const file = join(
    dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm')),
    'schema_engine_bg.wasm',
  );
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {
    './schema_engine_bg.js': { ...glue },
  });
  glue.__wbg_set_wasm(instance.exports);
  const start = instance.exports['__wbindgen_start'];
  if (typeof start === 'function') start();
  loaded = true;
}

function migrationsList(upTo?: string) {
  const names = knownMigrations().filter((name) => upTo === undefined || name <= upTo);
  return {
    baseDir: MIGRATIONS,
    shadowDbInitScript: '',
    lockfile: { path: 'migration_lock.toml', content: readFileSync(join(MIGRATIONS, 'migration_lock.toml'), 'utf8') },
    migrationDirectories: names.map((path) => ({
      path,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok' as const, value: readFileSync(join(MIGRATIONS, path, 'migration.sql'), 'utf8') },
      },
    })),
  };
}

/** Runs `work` with an engine bound to that database, and leaves no connection open behind it. */
export async function withSchemaEngine<Result>(
  address: DatabaseAddress,
  work: (engine: SchemaEngine) => Promise<Result>,
): Promise<Result> {
  loadEngine();
  const content = readFileSync(SCHEMA, 'utf8');
  const factory = new MigrationAdapterFactory(address);
  const engine = await glue.SchemaEngine.new(
    { datamodels: [[SCHEMA, content]] },
    () => {},
    bindMigrationAwareSqlAdapterFactory(factory),
  );
  try {
    return await work({
      forgetUnfinished: async (names) => {
        for (const migrationName of names) await engine.markMigrationRolledBack({ migrationName });
      },
      deploy: async (upTo) => {
        const applied = await engine.applyMigrations({ migrationsList: migrationsList(upTo), filters: NO_FILTERS });
        if (upTo === undefined) await applyFunctions(address);
        return applied.appliedMigrationNames;
      },
      diff: async () => {
        const result = await engine.diff({
          from: { tag: 'migrations', ...migrationsList() },
          to: { tag: 'schemaDatamodel', files: [{ path: SCHEMA, content }] },
          script: true,
          exitCode: null,
          filters: NO_FILTERS,
        });
        return result.stdout ?? '';
      },
    });
  } catch (error) {
    if (factory.scriptError instanceof Error)
      throw new Error(`the migration was refused: ${factory.scriptError.message}`, { cause: error });
    throw error;
  } finally {
    engine.free();
    await factory.dispose();
  }
}
