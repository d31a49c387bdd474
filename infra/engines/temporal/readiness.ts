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
export async function checkTemporal(address: string): Promise<void> {
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
