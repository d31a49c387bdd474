import type { Client } from 'pg';
import { databaseUrl, superuserUrl } from '../../instance/environment.ts';
import type { Instance } from '../../instance/instance.ts';
import { connected } from '../../../stores/postgres/connection/connected.ts';
import type { StepContext, StepDefinition } from '../../supervisor/definitions.ts';
import { EngineError } from '../engine-error.ts';
import { runTool } from '../run-tool.ts';
import { TEMPORAL_DATABASE, TEMPORAL_ROLE, TEMPORAL_VISIBILITY_DATABASE } from './config-file.ts';

/** Schema versions that the pinned server requires. */
const STORES = [
  { database: TEMPORAL_DATABASE, schema: 'postgresql/v12/temporal', version: '1.19' },
  { database: TEMPORAL_VISIBILITY_DATABASE, schema: 'postgresql/v12/visibility', version: '1.14' },
] as const;

type Store = (typeof STORES)[number];

/** Updates Temporal's two databases to the version of the pinned server. */
export function temporalSchemaStep(
  instance: Instance,
  sqlTool: string,
  environment: Readonly<Record<string, string>>,
): StepDefinition {
  return {
    kind: 'step',
    name: 'temporal-schema',
    after: ['postgres'],
    run: (context) =>
      connected({ connectionString: superuserUrl(instance) }, async (superuser) => {
        await ensureRole(superuser, instance.secrets.postgresTemporal);
        for (const store of STORES) await ensureStore(instance, superuser, store, { sqlTool, environment, context });
      }),
  };
}

interface Tool {
  readonly sqlTool: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly context: StepContext;
}

async function ensureRole(superuser: Client, password: string): Promise<void> {
  const existing = await superuser.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [TEMPORAL_ROLE]);
  const action = existing.rowCount === 0 ? 'CREATE' : 'ALTER';
  await superuser.query(`${action} ROLE ${TEMPORAL_ROLE} LOGIN PASSWORD ${superuser.escapeLiteral(password)}`);
}

/**
 * The schema tool is not atomic: a killed run leaves statements that fail when repeated. So a new database has a
 * temporary name until it is complete; an unfinished one is dropped.
 */
async function ensureStore(instance: Instance, superuser: Client, store: Store, tool: Tool): Promise<void> {
  const existing = await superuser.query('SELECT 1 FROM pg_database WHERE datname = $1', [store.database]);
  if (existing.rowCount !== 0) {
    const version = await currentVersion(instance, store.database);
    if (version === store.version) return;
    tool.context.update(`updating ${store.database} from ${version}`);
    await runSqlTool(instance, store.database, ['update-schema', '--schema-name', store.schema], tool);
    return;
  }
  const unfinished = `${store.database}_unfinished`;
  tool.context.update(`creating ${store.database}`);
  await superuser.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
  await superuser.query(`CREATE DATABASE ${unfinished} OWNER ${TEMPORAL_ROLE}`);
  await runSqlTool(instance, unfinished, ['setup-schema', '-v', '0.0'], tool);
  await runSqlTool(instance, unfinished, ['update-schema', '--schema-name', store.schema], tool);
  // The tool recorded the temporary name; the server looks for the final one.
  await queryOnce(instance, unfinished, 'UPDATE schema_version SET db_name = $1', [store.database]);
  await superuser.query(`ALTER DATABASE ${unfinished} RENAME TO ${store.database}`);
}

async function currentVersion(instance: Instance, database: string): Promise<string> {
  const rows = await queryOnce(
    instance,
    database,
    'SELECT curr_version AS version FROM schema_version WHERE db_name = $1',
    [database],
  );
  return rows[0]?.version ?? 'no version';
}

async function queryOnce(
  instance: Instance,
  database: string,
  text: string,
  values: string[],
): Promise<{ version?: string }[]> {
  const url = databaseUrl(instance, TEMPORAL_ROLE, instance.secrets.postgresTemporal, database);
  return connected(
    { connectionString: url },
    async (client) => (await client.query<{ version?: string }>(text, values)).rows,
  );
}

async function runSqlTool(instance: Instance, database: string, args: readonly string[], tool: Tool): Promise<void> {
  const connection = [
    '--plugin',
    'postgres12',
    '--ep',
    '127.0.0.1',
    '-p',
    String(instance.ports.postgres),
    '-u',
    TEMPORAL_ROLE,
    '--db',
    database,
  ];
  const result = await runTool({
    file: tool.sqlTool,
    args: [...connection, ...args],
    // In the environment: other users can read arguments.
    environment: { ...tool.environment, SQL_PASSWORD: instance.secrets.postgresTemporal },
    workingDirectory: instance.layout.dataDir,
    signal: tool.context.signal,
  });
  if (result.exitCode === 0) return;
  throw new EngineError(
    'set-up-failed',
    `Temporal's database ${database} could not be set up (${args[0]} exited with ${result.exitCode}):\n${result.lines.join('\n')}`,
  );
}
