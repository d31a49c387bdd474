import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../instance/atomic-file.ts';
import { temporalAddress } from '../../instance/environment.ts';
import type { Instance } from '../../instance/instance.ts';
import type { ServiceDefinition } from '../../supervisor/definitions.ts';
import { temporalConfig, temporalDynamicConfig } from './config-file.ts';
import { Connection } from '@temporalio/client';

const SYSTEM_NAMESPACE = 'temporal-system';
const FRONTEND_SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';
const SERVING: number = 1;
const GRPC_NOT_FOUND = 5;
const CONNECT_TIMEOUT_MS = 2000;
const CALL_TIMEOUT_MS = 3000;
/** Number of ids that reaches all shards with near certainty. */
const PROBED_WORKFLOWS = 12;

/**
 * Resolves once Temporal is ready: the frontend is serving and history owns its shards. An open port does not
 * suffice: the frontend listens before history has its shards.
 */
async function checkTemporal(address: string): Promise<void> {
  // Lazy, so that failed connections are closed, too. Without interceptors and thus
  // retries: the supervisor polls, and a retry on a closed connection would end the process.
  const connection = Connection.lazy({ address, connectTimeout: CONNECT_TIMEOUT_MS, interceptors: [] });
  try {
    await connection.ensureConnected();
    await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, async () => {
      const { status }: { status: number } = await connection.healthService.check({ service: FRONTEND_SERVICE });
      if (status !== SERVING) throw new Error('the frontend is not serving yet');
      await connection.workflowService.describeNamespace({ namespace: SYSTEM_NAMESPACE });
      const probes = Array.from({ length: PROBED_WORKFLOWS }, (_, index) =>
        probeHistory(connection, `readiness-${index}`),
      );
      const results = await Promise.allSettled(probes);
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    });
  } finally {
    await connection.close();
  }
}

/** Describes a missing workflow: only the shard that would own it can respond. */
async function probeHistory(connection: Connection, workflowId: string): Promise<void> {
  try {
    await connection.workflowService.describeWorkflowExecution({
      namespace: SYSTEM_NAMESPACE,
      execution: { workflowId },
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === GRPC_NOT_FOUND) return;
    throw error;
  }
}

/** Priority below the api and PostgreSQL, above the worker. */
const BACKGROUND_NICENESS = 10;

function dynamicConfigFileOf(instance: Instance): string {
  return path.join(instance.layout.temporal, 'dynamic-config.yaml');
}

/** Lets a running server read its namespaces rarely: call it when they and their search attributes exist. */
export function relaxTemporal(instance: Instance): void {
  writeFileAtomic(dynamicConfigFileOf(instance), temporalDynamicConfig({ isSetUp: true }), 0o600);
}

/** Temporal server with all four services in one process, on the instance's PostgreSQL. */
export function temporalService(
  instance: Instance,
  server: string,
  environment: Readonly<Record<string, string>>,
): ServiceDefinition {
  const folder = instance.layout.temporal;
  const configFile = path.join(folder, 'config.yaml');
  const dynamicConfigFile = dynamicConfigFileOf(instance);
  return {
    kind: 'service',
    name: 'temporal',
    after: ['postgres', 'temporal-schema'],
    prepare: () => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileAtomic(configFile, temporalConfig(instance, dynamicConfigFile), 0o600);
      writeFileAtomic(dynamicConfigFile, temporalDynamicConfig({ isSetUp: false }), 0o600);
      return Promise.resolve({
        file: server,
        args: ['--config-file', configFile, '--allow-no-auth', 'start'],
        // Collects earlier to use less memory at rest, which takes a fifth of its processor time; the operator may decide
        // otherwise. No GOMEMLIMIT: if its caches exceed the limit, the server collects permanently (measured: nearly one core).
        // Disables the vendor's version check with usage figures.
        environment: { GOGC: '50', ...environment, TEMPORAL_VERSION_CHECK_DISABLED: '1' },
        workingDirectory: folder,
        // Capture and search do not wait for workflows.
        niceness: BACKGROUND_NICENESS,
      });
    },
    ports: [
      instance.ports.temporalFrontend,
      instance.ports.temporalHistory,
      instance.ports.temporalMatching,
      instance.ports.temporalWorker,
      instance.ports.temporalMetrics,
      instance.ports.temporalFrontendMembership,
      instance.ports.temporalHistoryMembership,
      instance.ports.temporalMatchingMembership,
      instance.ports.temporalWorkerMembership,
    ],
    readiness: { kind: 'probe', check: () => checkTemporal(temporalAddress(instance)) },
    readyTimeoutMs: 90_000,
    stopSignal: 'SIGTERM',
    // Frontend and history stop in this time. The server's internal workers would continue to poll for 15 s and more;
    // killing them loses nothing: acknowledged data is in PostgreSQL.
    stopGraceMs: 4000,
    emergencySignal: 'SIGKILL',
  };
}
