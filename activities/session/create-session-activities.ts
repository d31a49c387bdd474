import { chunkText } from '../../domain/chunking.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { TokenCounter } from '../../domain/ports/embedder.ts';
import { NO_TRACER } from '../../domain/ports/tracer.ts';
import type { Marks, Tracer } from '../../domain/ports/tracer.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { cutWindows } from '../../domain/windows.ts';
import type { CutWindow, OpenRows } from '../../domain/windows.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { restartFailedVectors, requestEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import type { EmbeddingModel } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import {
  advanceConsumption,
  fillRows,
  readIntakeSession,
  readNewRows,
  readUnwindowed,
} from '../../stores/postgres/capture/consumption.ts';
import type { DatedRow, IntakeSession } from '../../stores/postgres/capture/consumption.ts';
import { markSearchable } from '../../stores/postgres/sessions/searchable.ts';
import { settleSession, writeCapture, writePhase } from '../../stores/postgres/sessions/session-state.ts';
import { gatherWindows, openBatchOf } from '../../stores/postgres/usage/model-batches.ts';
import { countWindows, requeueParked, restartParked } from '../../stores/postgres/sessions/windows.ts';
import { marksOfRange } from '../../stores/postgres/traces/trace-marks.ts';
import { tryHintIndexSoon } from '../try-hint-index.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import type { SessionActivities, SessionPolicy, ConsumeInput, ConsumeResult } from '../../workflows/session/types.ts';

export interface SessionActivityDependencies {
  readonly database: Database;
  readonly tokens: TokenCounter;
  readonly embeddingModel: EmbeddingModel;
  readonly hints: WorkflowHints;
  readonly clock: Clock;
  /** A batch with this many calls is sent immediately. */
  readonly maxBatchCalls: number;
  /** Whether the configured model has batches: sessions in batch mode outlive a change of it. */
  readonly hasBatches: boolean;
  readonly tracer?: Tracer;
  /** Called when an ended session became searchable, with the seconds since the capture of its end. */
  readonly onSearchable: (seconds: number) => void;
}

/** Positions and characters consumed per call: bounds memory and time; counting tokens takes 0.2 s per megabyte. */
const BATCH_POSITIONS = 200;
const BATCH_CHARS = 2_000_000;
/** Attempts of a parked window. */
const MAX_WINDOW_ATTEMPTS = 3;
/** Minimum delay: an overdue timer must not become a busy loop. */
const LEAST_CHECK_MS = 50;
const IDLE_CHECK_MS = 60_000;

const MISSING: ConsumeResult = {
  projectId: null,
  consumedSeq: 0,
  more: false,
  windowsPending: 0,
  ended: false,
  isIndexRequested: false,
  infer: false,
  settled: false,
  checkAfterMs: LEAST_CHECK_MS,
  idle: false,
  deleted: true,
};

/** Returns the first rows within `BATCH_CHARS`, at least one. */
function boundedRows(rows: readonly DatedRow[]): readonly DatedRow[] {
  let chars = 0;
  const end = rows.findIndex((row, index) => (chars += row.content.length) > BATCH_CHARS && index > 0);
  return end < 0 ? rows : rows.slice(0, end);
}

/** One batch of new rows and the windows cut in it. */
interface TakenBatch {
  readonly toSeq: number;
  readonly more: boolean;
  /** Chunks requested in the ledger. */
  readonly requested: number;
  readonly windows: readonly CutWindow[];
  readonly open: OpenRows | null;
  readonly windowedSeq: number;
}

/** Returns when open rows form a window: quiet or old, whichever is sooner. */
function openDeadlineMs(
  open: OpenRows,
  policy: SessionPolicy,
): { readonly atMs: number; readonly reason: 'quiet' | 'age' } {
  const quietAt = open.lastCreatedAtMs + policy.quietMs;
  const oldAt = open.firstCreatedAtMs + policy.maxAgeMs;
  return quietAt <= oldAt ? { atMs: quietAt, reason: 'quiet' } : { atMs: oldAt, reason: 'age' };
}

/** Short database steps of a session's workflow. */
export function createSessionActivities(dependencies: SessionActivityDependencies): SessionActivities {
  const { database, tokens, embeddingModel, hints, clock, maxBatchCalls, hasBatches } = dependencies;
  const { tracer = NO_TRACER } = dependencies;

  /** Prepares one batch of new rows up to `knownSeq`, and cuts windows. Repeatable: `consumed_seq` does not change. */
  const readBatch = async (
    transaction: TenantTransaction,
    input: ConsumeInput,
    before: IntakeSession,
    knownSeq: number,
  ): Promise<TakenBatch> => {
    const lastSeq = Math.max(before.consumedSeq, Math.min(before.lastSeq, knownSeq));
    const furthestSeq = Math.min(lastSeq, before.consumedSeq + BATCH_POSITIONS);
    const found = await readNewRows(transaction, input.sessionId, before.consumedSeq, furthestSeq);
    const rows = boundedRows(found);
    const toSeq = rows.length === found.length ? furthestSeq : (rows.at(-1)?.seq ?? furthestSeq);
    const more = toSeq < before.lastSeq;
    await fillRows(
      transaction,
      rows.map((row) => ({ ...row, tokens: tokens.count(row.content) })),
    );
    const wanted = rows.map((row) => ({
      type: row.role,
      id: row.id,
      sessionId: input.sessionId,
      chunks: chunkText(row.title, row.content),
      occurredAt: row.occurredAt,
    }));
    await requestEmbeddings(transaction, asId(input.tenantId), embeddingModel, wanted);
    // Also those that an interrupted attempt requested.
    const requested = wanted.reduce((sum, { chunks }) => sum + chunks.length, 0);
    const progress = before.infer
      ? await cut(transaction, input, before, toSeq, more)
      : { windows: [], open: null, windowedSeq: toSeq };
    return { toSeq, more, requested, ...progress };
  };

  /** Advances the session by a batch; null if another run was faster: the caller reads again. */
  const takeBatch = async (
    input: ConsumeInput,
    before: IntakeSession,
    batch: TakenBatch,
  ): Promise<ConsumeResult | null> => {
    const { toSeq, more, open } = batch;
    const idleAt = before.lastEventAtMs + input.policy.idleMs;
    const ended = !more && before.endsHere;
    const idle = !more && idleAt <= clock.now();
    const { advanced, windowsPending, windowsParked, settled, indexWorks } = await advanceConsumption(
      database.pool,
      asId(input.tenantId),
      input.sessionId,
      before,
      {
        consumedSeq: toSeq,
        windowedSeq: batch.windowedSeq,
        firstN: before.windows,
        windows: batch.windows,
        settles: (ended || idle) && !before.infer,
        requested: batch.requested,
        shown: { phase: input.phase, workflowId: workflowIdOf('session', input.tenantId, input.sessionId) },
      },
    );
    if (!advanced) return null;
    const nextAt =
      open === null || open.rows === 0 ? idleAt : Math.min(idleAt, openDeadlineMs(open, input.policy).atMs);
    return {
      projectId: before.projectId,
      consumedSeq: toSeq,
      more,
      windowsPending,
      windowsParked,
      ended,
      infer: before.infer,
      settled,
      isIndexRequested: batch.requested > 0 && !indexWorks,
      // A session past its idle time waits for model calls alone, whose end wakes the workflow.
      checkAfterMs:
        idleAt <= clock.now()
          ? Math.max(input.policy.idleMs, IDLE_CHECK_MS)
          : Math.max(nextAt - clock.now(), LEAST_CHECK_MS),
      idle,
      deleted: false,
    };
  };

  const cut = async (
    transaction: TenantTransaction,
    input: ConsumeInput,
    before: IntakeSession,
    toSeq: number,
    more: boolean,
  ) => {
    const rows = await readUnwindowed(transaction, input.sessionId, before.windowedSeq, toSeq);
    let result = cutWindows(rows, input.policy, more ? null : input.closeOpen);
    if (!more && result.open !== null && result.open.rows > 0) {
      const due = openDeadlineMs(result.open, input.policy);
      if (due.atMs <= clock.now()) result = cutWindows(rows, input.policy, due.reason);
    }
    return {
      windows: result.windows,
      open: result.open,
      windowedSeq: result.windows.at(-1)?.toSeq ?? before.windowedSeq,
    };
  };

  const consume = async (input: ConsumeInput, knownSeq: number): Promise<ConsumeResult> => {
    for (;;) {
      const read = await database.asTenant(asId(input.tenantId), async (transaction) => {
        const before = await readIntakeSession(transaction, input.sessionId);
        return before === null ? null : { before, batch: await readBatch(transaction, input, before, knownSeq) };
      });
      if (read === null) return MISSING;
      const result = await takeBatch(input, read.before, read.batch);
      if (result === null) continue;
      // Otherwise the index marks it, with its last vector.
      if (result.ended)
        for (const took of await markSearchable(database.pool, asId(input.tenantId), [input.sessionId]))
          dependencies.onSearchable(took);
      if (!result.isIndexRequested) return result;
      return { ...result, isIndexRequested: !(await tryHintIndexSoon(hints, asId(input.tenantId))) };
    }
  };

  return {
    consumeEvents: (input) => {
      // Rows that come after the marks were read are of the next batch: its span has their marks.
      let knownSeq = Infinity;
      const readMarks = async (): Promise<Marks> => {
        const tenantId = asId<TenantId>(input.tenantId);
        const before = await database.asTenant(tenantId, (read) => readIntakeSession(read, input.sessionId));
        if (before === null) return { marks: [], total: 0 };
        knownSeq = before.lastSeq;
        const range = {
          fromSeq: before.consumedSeq + 1,
          toSeq: Math.min(knownSeq, before.consumedSeq + BATCH_POSITIONS),
        };
        return marksOfRange(database, tenantId, input.sessionId, range);
      };
      return tracer.unit(
        'consume',
        readMarks,
        async (span) => {
          const result = await consume(input, knownSeq);
          span.note({
            'recollect.consumed_seq': result.consumedSeq,
            'recollect.windows_pending': result.windowsPending,
          });
          return result;
        },
        { 'recollect.session_id': input.sessionId },
      );
    },
    async updateSessionPhase({ tenantId, sessionId, ...change }) {
      await writePhase(database.pool, asId(tenantId), sessionId, change);
    },
    async requeueParked({ tenantId, sessionId, again }) {
      if (again !== true) {
        return {
          requeued: await database.asTenant(asId(tenantId), (transaction) =>
            requeueParked(transaction, sessionId, MAX_WINDOW_ATTEMPTS),
          ),
        };
      }
      const { requeued, vectors } = await database.asTenant(asId(tenantId), async (transaction) => ({
        requeued: await restartParked(transaction, sessionId),
        vectors: await restartFailedVectors(transaction, sessionId),
      }));
      if (vectors > 0) await hints.index(asId(tenantId));
      return { requeued };
    },
    async hintIndex({ tenantId }) {
      await hints.index(asId(tenantId));
    },
    async settle({ tenantId, sessionId }) {
      return {
        settled: await database.asTenant(asId(tenantId), (transaction) => settleSession(transaction, sessionId)),
      };
    },
    async offerWindows({ tenantId, sessionId, phase }) {
      const tenant = asId<TenantId>(tenantId);
      const { gathered, counts } = await database.asTenant(tenant, async (transaction) => {
        const taken = hasBatches ? await gatherWindows(transaction, tenant, sessionId) : null;
        return {
          gathered: taken ?? (await openBatchOf(transaction, sessionId)),
          counts: await countWindows(transaction, sessionId),
        };
      });
      await writePhase(database.pool, tenant, sessionId, {
        phase,
        waitingReason: counts.batched > 0 ? 'BatchPending' : null,
        lastError: null,
        workflowId: workflowIdOf('session', tenantId, sessionId),
      });
      if (gathered !== null) await hints.modelBatch(tenant, { ...gathered, full: gathered.calls >= maxBatchCalls });
      const windows = { windowsPending: counts.pending, windowsBatched: counts.batched, windowsParked: counts.parked };
      return hasBatches ? windows : { ...windows, direct: true };
    },
    async setCapture({ tenantId, sessionId, on }) {
      await database.asTenant(asId(tenantId), (transaction) => writeCapture(transaction, sessionId, on));
      return { on };
    },
  };
}
