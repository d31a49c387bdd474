import type pg from 'pg';
import type { TenantId } from '../../../domain/ids.ts';
import type { SessionPhase } from '../../../domain/jobs.ts';
import { WAITING_REASONS } from '../../../workflows/failure-types.ts';
import type { WaitingReason } from '../../../workflows/failure-types.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { forgottenSoFar } from '../erasure/forgotten.ts';

/** Properties of a session that activities need besides its rows. */
export interface SessionFacts {
  readonly userId: string;
  readonly projectId: string | null;
  readonly projectName: string | null;
  readonly namespace: string;
  readonly title: string | null;
  /** False: stored and indexed only, no model call. */
  readonly infer: boolean;
  readonly lastSeq: number;
  readonly consumedSeq: number;
  /** Up to here learnings were extracted. */
  readonly learnedSeq: number;
  /** `forgottenSoFar` before anything else was read: `refuseForgotten` compares it. */
  readonly forgotten: number;
}

/** @throws Error if the session is missing or deleted */
export async function readSessionFacts(transaction: TenantTransaction, sessionId: string): Promise<SessionFacts> {
  const forgotten = await forgottenSoFar(transaction, sessionId);
  const found = await transaction.session.findUniqueOrThrow({
    where: { id: sessionId },
    select: {
      userId: true,
      projectId: true,
      namespace: true,
      title: true,
      infer: true,
      lastSeq: true,
      consumedSeq: true,
      learnedSeq: true,
      project: { select: { displayName: true } },
    },
  });
  const { project, ...facts } = found;
  return { ...facts, projectName: project?.displayName ?? null, forgotten };
}

export interface PhaseChange {
  readonly phase: SessionPhase;
  readonly waitingReason: WaitingReason | null;
  readonly lastError: string | null;
  readonly workflowId: string;
}

const SHOW_PHASE = {
  name: 'update_session_phase',
  text: 'SELECT update_session_phase($1, $2, $3, $4, $5, $6, $7)',
} as const;

/** Updates the phase of a session. Commits separately, so that captures wait only for this statement. */
export async function writePhase(
  pool: pg.Pool,
  tenantId: TenantId,
  sessionId: string,
  { phase, waitingReason, lastError, workflowId }: PhaseChange,
): Promise<void> {
  await pool.query({
    ...SHOW_PHASE,
    values: [tenantId, sessionId, phase, waitingReason, lastError, false, workflowId],
  });
}

/** Updates the phase of a step that is about to start: its wait has ended. Commits separately. */
export async function enterPhase(
  pool: pg.Pool,
  tenantId: TenantId,
  sessionId: string,
  phase: SessionPhase,
  workflowId: string,
): Promise<void> {
  await pool.query({ ...SHOW_PHASE, values: [tenantId, sessionId, phase, null, null, true, workflowId] });
}

/** Shows that a step waits for a slot among the concurrent model calls, unless another reason is shown, or that it waits no longer. */
export async function writeModelBusy(
  transaction: TenantTransaction,
  sessionId: string,
  isBusy: boolean,
): Promise<void> {
  const busy: WaitingReason = 'ModelBusy';
  await transaction.session.updateMany({
    where: { id: sessionId, waitingReason: isBusy ? null : busy },
    data: { waitingReason: isBusy ? busy : null, updatedAt: new Date() },
  });
}

/**
 * Ends a session if all its rows are consumed and no window is pending. Returns false otherwise: the session continues. The last error remains
 * only if it was permanent: a session does not end before it has waited out the others. Uses one statement, so that no capture can occur
 * between check and update.
 */
export async function settleSession(transaction: TenantTransaction, sessionId: string): Promise<boolean> {
  const settled = await transaction.$executeRaw`
    UPDATE sessions SET status = 'ended', phase = 'settled', waiting_reason = NULL, ended_at = last_event_at, updated_at = now(),
           last_error = CASE WHEN last_error = ANY (${[...WAITING_REASONS]}) THEN NULL ELSE last_error END
     WHERE id = ${sessionId}::uuid AND status IN ('active', 'ended') AND last_seq = consumed_seq
       AND NOT EXISTS (SELECT FROM windows w WHERE w.session_id = sessions.id AND w.state IN ('pending', 'batched'))`;
  return settled === 1;
}

/** Switches storing of content on or off; stored content remains. */
export async function writeCapture(transaction: TenantTransaction, sessionId: string, on: boolean): Promise<void> {
  await transaction.session.updateMany({ where: { id: sessionId }, data: { capture: on, updatedAt: new Date() } });
}

/** The displayed title: of the session summary, unless a user set another one. An earlier failure to summarise is over. */
export async function writeTitle(transaction: TenantTransaction, sessionId: string, title: string): Promise<void> {
  await transaction.$executeRaw`
    UPDATE sessions SET title = CASE WHEN metadata ? 'title_given' THEN title ELSE ${title} END, last_error = NULL WHERE id = ${sessionId}::uuid`;
}

/** Records the position up to which learnings were extracted. */
export async function writeLearnedSeq(transaction: TenantTransaction, sessionId: string, seq: number): Promise<void> {
  await transaction.session.update({ where: { id: sessionId }, data: { learnedSeq: seq } });
}
