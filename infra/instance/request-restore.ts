import { existsSync } from 'node:fs';
import path from 'node:path';
import { v7 } from 'uuid';
import { z } from 'zod';
import { parseEngineConfig } from '../../config/config.ts';
import { trustAuthorities } from '../../config/engine-settings.ts';
import type { Environment } from '../../config/process-environment.ts';
import { failureReason } from '../../domain/failure-reason.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { createPool } from '../../stores/postgres/connection/pool.ts';
import { endRestore, openRestore } from '../../stores/postgres/backups/restores.ts';
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

/** Temporal did not start the workflow of a restore. The message has the reason. */
export class RestoreNotStarted extends Error {
  override readonly name = 'RestoreNotStarted';
}

/** Access on the instance's machine: PostgreSQL as the maintenance role, and Temporal. */
export interface LocalAccess {
  readonly maintenanceUrl: string;
  readonly temporal: TemporalOptions;
  /** Further certificate authorities for both, as PEM. */
  readonly authorities: readonly string[];
}

/**
 * Returns the local access to an instance: from a worker's environment, else from the secrets of the data directory. Null without either,
 * and if this machine's commands use a remote server. @throws ConfigError for an environment that a worker would refuse
 */
export function localAccess(dataDir: string, environment: Environment): LocalAccess | null {
  const { RECOLLECT_MAINTENANCE_DATABASE_URL: url, RECOLLECT_TEMPORAL_ADDRESS: address } = environment;
  if (url && address) {
    const { temporal, authorities } = parseEngineConfig(environment);
    return { maintenanceUrl: url, temporal, authorities };
  }
  const layout = instanceLayout(dataDir);
  const isElsewhere = Boolean(environment['RECOLLECT_URL']) || existsSync(path.join(layout.dataDir, 'client.json'));
  if (isElsewhere || !existsSync(layout.secretsFile)) return null;
  const secrets = readOrCreateSecrets(layout.secretsFile);
  const instance = { layout, secrets, ports: { ...DEFAULT_PORTS, ...readSavedPorts(layout.portsFile) } };
  return {
    maintenanceUrl: maintenanceDatabaseUrl(instance),
    temporal: { address: temporalAddress(instance), namespace: temporalNamespace(environment) },
    authorities: [],
  };
}

const operatorRow = z.array(z.object({ id: z.string() })).min(1);

/**
 * Starts a restore or drill without the API, which accepts only stores and signers of its settings. Returns its id.
 * Rejects with RestoreError if it is refused, RestoreNotStarted, and errors of the driver.
 */
export async function requestRestore(access: LocalAccess, request: RestoreRequest): Promise<string> {
  trustAuthorities(access);
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
    const id = v7();
    const opened = await scope.asTenant(tenantId, (transaction) => openRestore(transaction, null, request, id));
    try {
      await createStartJob(temporal)(RESTORE_WORKFLOWS[opened.kind], tenantId, opened.id, { restoreId: opened.id });
    } catch (error) {
      const message = `the workflow was not started: ${failureReason(error)}`;
      // While its row is running, others are refused. One that was running before may have a workflow.
      if (opened.id === id) await endRestore(pool, id, 'failed', 'TemporalUnavailable', message);
      throw new RestoreNotStarted(message, { cause: error });
    }
    return opened.id;
  } finally {
    await temporal.connection.close();
    await scope.close();
    await pool.end();
  }
}
