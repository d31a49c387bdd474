import { AsyncLocalStorage } from 'node:async_hooks';
import { asyncLocalStorage } from '@temporalio/activity';
import type { Info } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { SpanIds } from '../telemetry/active-span.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SpanValues } from '../telemetry/tracing.ts';

/** An activity in progress, with the last span that it began. */
const attempts = new AsyncLocalStorage<{ span: SpanIds | null }>();

/** Attributes of the spans of the activity that calls this: ids and the attempt. None outside an activity. */
export function activityAttributes(): SpanValues {
  const context = asyncLocalStorage.getStore();
  if (context === undefined) return {};
  const { activityType, attempt, workflowExecution } = context.info;
  return {
    'temporal.activity': activityType,
    'temporal.attempt': attempt,
    'temporal.workflow_id': workflowExecution?.workflowId,
    'temporal.run_id': workflowExecution?.runId,
  };
}

/** Names a span in the line of the activity that began it. */
export function noteActivitySpan(span: SpanIds): void {
  const attempt = attempts.getStore();
  if (attempt !== undefined) attempt.span = span;
}

/** Returns the outcome of a failed activity: the type of its failure. */
function failureOf(error: unknown): string {
  if (error instanceof ApplicationFailure) return error.type ?? error.name;
  return error instanceof Error ? error.name : 'unknown';
}

function isBenign(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.category === ApplicationFailureCategory.BENIGN;
}

function lineOf({ activityType, workflowExecution, attempt, taskQueue }: Info) {
  const { workflowId, runId } = workflowExecution ?? {};
  return { activity: activityType, queue: taskQueue, workflowId, runId, attempt };
}

/** Writes a line for every activity that ends: ids, duration and outcome, and the trace that it belongs to. */
export function createActivityLog(logger: Logger): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const attempt: { span: SpanIds | null } = { span: null };
        const started = performance.now();
        const line = (outcome: string) => ({
          ...lineOf(info),
          ms: Math.round((performance.now() - started) * 100) / 100,
          outcome,
          ...(attempt.span !== null && { trace_id: attempt.span.traceId, span_id: attempt.span.spanId }),
        });
        try {
          const result = await attempts.run(attempt, () => next(input));
          logger.info(line('completed'), 'activity ended');
          return result;
        } catch (error) {
          // Deferred work is tried every second during a burst.
          logger[isBenign(error) ? 'debug' : 'info'](line(failureOf(error)), 'activity ended');
          throw error;
        }
      },
    },
  });
}
