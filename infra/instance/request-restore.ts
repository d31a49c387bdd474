import { existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Environment } from '../../config/process-environment.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { createPool } from '../../stores/postgres/connection/pool.ts';
import { openRestore } from '../../stores/postgres/backups/restores.ts';
import type { RestoreRequest } from '../../stores/postgres/backups/restores.ts';
import { tenantScopeOf } from '../../stores/postgres/connection/tenant-scope.ts';
import { createTemporalClient } from '../../stores/temporal/client.ts';
import type { TemporalOptions } from '../../stores/temporal/client.ts';
import { createStartJob, RESTORE_WORKFLOWS } from '../../stores/temporal/start-workflow.ts';
import { maintenanceDatabaseUrl, temporalAddress, temporalNamespace } from './environment.ts';
import { instanceLayout } from './layout.ts';
import { DEFAULT_PORTS, readSavedPorts } from './ports.ts';
import { readOrCreateSecrets } from './secrets.ts';

export type { RestoreRequest };

const CONNECT_MS = 5_000;

/** Access on the instance's machine: PostgreSQL as the maintenance role, and Temporal. */
export interface LocalAccess {
  readonly maintenanceUrl: string;
  readonly temporal: TemporalOptions;
}

/**
 * Returns the local access to an instance: from a worker's environment, else from the secrets of the data directory. Null without either,
 * and if this machine's commands use a remote server.
 */
export function localAccess(dataDir: string, environment: Environment): LocalAccess | null {
  const { RECOLLECT_MAINTENANCE_DATABASE_URL: url, RECOLLECT_TEMPORAL_ADDRESS: address } = environment;
  const namespace = temporalNamespace(environment);
  if (url && address) return { maintenanceUrl: url, temporal: { address, namespace } };
  const layout = instanceLayout(dataDir);
  const isElsewhere = Boolean(environment['RECOLLECT_URL']) || existsSync(path.join(layout.dataDir, 'client.json'));
  if (isElsewhere || !existsSync(layout.secretsFile)) return null;
  const secrets = readOrCreateSecrets(layout.secretsFile);
  const instance = { layout, secrets, ports: { ...DEFAULT_PORTS, ...readSavedPorts(layout.portsFile) } };
  return {
    maintenanceUrl: maintenanceDatabaseUrl(instance),
    temporal: { address: temporalAddress(instance), namespace },
  };
}

const operatorRow = z.array(z.object({ id: z.string() })).min(1);

/**
 * Starts a restore or drill without the API, which accepts only stores and signers of its settings. Returns its id.
 * Rejects with RestoreError if it is refused, errors of the driver and TemporalUnavailable.
 */
export async function requestRestore(access: LocalAccess, request: RestoreRequest): Promise<string> {
  const pool = createPool({
    url: access.maintenanceUrl,
    max: 2,
    connectTimeoutMs: CONNECT_MS,
    statementTimeoutMs: CONNECT_MS,
    applicationName: 'recollect-cli',
    onIdleError: () => undefined,
  });
  const scope = tenantScopeOf(pool);
  const temporal = createTemporalClient(access.temporal);
  try {
    const [operator] = operatorRow.parse((await pool.query('SELECT id FROM tenants WHERE is_operator')).rows);
    const tenantId = asId<TenantId>(operator?.id ?? '');
    const opened = await scope.asTenant(tenantId, (transaction) => openRestore(transaction, null, request));
    await createStartJob(temporal)(RESTORE_WORKFLOWS[opened.kind], tenantId, opened.id, { restoreId: opened.id });
    return opened.id;
  } finally {
    await temporal.connection.close();
    await scope.close();
    await pool.end();
  }
}
