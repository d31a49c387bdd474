import { Connection } from '@temporalio/client';

const SYSTEM_NAMESPACE = 'temporal-system';
const FRONTEND_SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';
const SERVING: number = 1;
const GRPC_NOT_FOUND = 5;
const CONNECT_TIMEOUT_MS = 2000;
const CALL_TIMEOUT_MS = 3000;
/** Enough different ids to reach all of the few shards with near certainty. */
const ASKED_WORKFLOWS = 12;

/**
 * Resolves when Temporal truly works: the frontend says that it serves, and history answers for its shards. An open port is
 * no proof: the frontend listens before history has its shards, and a server that then fails had its port open too.
 */
export async function checkTemporal(address: string): Promise<void> {
  // Lazy, so that a connection that cannot be made is closed like one that can. Without interceptors, that is without
  // retries: the supervisor asks again by itself, and a retry on a closed connection would end the process.
  const connection = Connection.lazy({ address, connectTimeout: CONNECT_TIMEOUT_MS, interceptors: [] });
  try {
    await connection.ensureConnected();
    await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, async () => {
      const { status }: { status: number } = await connection.healthService.check({ service: FRONTEND_SERVICE });
      if (status !== SERVING) throw new Error('the frontend does not serve yet');
      await connection.workflowService.describeNamespace({ namespace: SYSTEM_NAMESPACE });
      const asked = Array.from({ length: ASKED_WORKFLOWS }, (_, index) => askHistory(connection, `readiness-${index}`));
      const answers = await Promise.allSettled(asked);
      for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
    });
  } finally {
    await connection.close();
  }
}

/** Asks for a workflow that does not exist: only the shard that would own it can say so. */
async function askHistory(connection: Connection, workflowId: string): Promise<void> {
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
