import { WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { TenantId } from '../../domain/ids.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import { CLOSE_UPDATE, RETRY_SIGNAL, SET_CAPTURE_UPDATE, SUMMARISE_NOW_UPDATE } from '../../workflows/session/types.ts';
import type { AskResult, SessionPolicy, SetCaptureInput } from '../../workflows/session/types.ts';
import { startOptions } from './start-workflow.ts';
import { answeredWithin, isNotFound, TemporalUnavailable } from './unavailable.ts';

export interface SessionSteering {
  /**
   * Summarises or closes a session; starts its workflow if none is running. Returns null if that takes longer than `waitMs`,
   * after which it continues, or if the workflow was cancelled.
   * @throws TemporalUnavailable if no worker accepted the request
   */
  request(tenantId: TenantId, sessionId: string, what: 'summary' | 'close', waitMs: number): Promise<AskResult | null>;
  /** Notifies a running workflow of the capture switch, if there is one. @throws TemporalUnavailable */
  notifyCapture(tenantId: TenantId, sessionId: string, on: boolean): Promise<void>;
  /** Wakes a session that waits, or starts its workflow again. @throws TemporalUnavailable */
  retry(tenantId: TenantId, sessionId: string): Promise<void>;
}

/** A worker takes an order at once, or there is none. */
const ACCEPT_TIMEOUT_MS = 5_000;

/** Returns true if the workflow does not run, or ended with the update in it: its updates never fail otherwise. */
function hasEnded(error: unknown): boolean {
  return error instanceof WorkflowUpdateFailedError || isNotFound(error);
}

/** Returns the requests that a session accepts. */
export function createSessionSteering(client: Client, policy: SessionPolicy): SessionSteering {
  // An ended session is reopened under the same id.
  const startOf = (tenantId: TenantId, sessionId: string) =>
    startOptions('session', tenantId, sessionId, { tenantId, sessionId, policy });
  const bounded = <Result>(ms: number, work: () => Promise<Result>): Promise<Result> =>
    answeredWithin(client, ms, work);

  return {
    async request(tenantId, sessionId, what, waitMs) {
      const update = await bounded(ACCEPT_TIMEOUT_MS, () =>
        client.workflow.startUpdateWithStart<() => Promise<void>, AskResult, []>(
          what === 'close' ? CLOSE_UPDATE : SUMMARISE_NOW_UPDATE,
          {
            waitForStage: 'ACCEPTED',
            args: [],
            startWorkflowOperation: new WithStartWorkflowOperation('session', startOf(tenantId, sessionId)),
          },
        ),
      );
      if (waitMs === 0) return null;
      try {
        return await bounded(waitMs, () => update.result());
      } catch (error) {
        if (error instanceof TemporalUnavailable || hasEnded(error)) return null;
        throw error;
      }
    },

    async notifyCapture(tenantId, sessionId, on) {
      const handle = client.workflow.getHandle(workflowIdOf('session', tenantId, sessionId));
      const args: [SetCaptureInput] = [{ on }];
      try {
        await bounded(ACCEPT_TIMEOUT_MS, () =>
          handle.executeUpdate<SetCaptureInput, [SetCaptureInput]>(SET_CAPTURE_UPDATE, { args }),
        );
      } catch (error) {
        if (!hasEnded(error)) throw error;
      }
    },

    async retry(tenantId, sessionId) {
      await bounded(ACCEPT_TIMEOUT_MS, () =>
        client.workflow.signalWithStart('session', { ...startOf(tenantId, sessionId), signal: RETRY_SIGNAL }),
      );
    },
  };
}
