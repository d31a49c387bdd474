import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { activityAttributes, createActivityLog, noteActivitySpan } from '../../workers/activity-log.ts';

const SPAN = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

/** Runs an activity with its log; returns the lines, and how it ended. */
async function run(activity: () => Promise<unknown>) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'debug' }, { write: (text) => void lines.push(JSON.parse(text)) });
  const environment = new MockActivityEnvironment(
    {
      attempt: 3,
      activityType: 'consumeEvents',
      taskQueue: 'session',
      workflowExecution: { workflowId: 'w', runId: 'r' },
    },
    { interceptors: [createActivityLog(logger)], logger: new DefaultLogger('ERROR') },
  );
  const ended = await environment.run(activity).then(
    () => 'completed',
    () => 'failed',
  );
  return { ended, lines };
}

const ACTIVITY = { activity: 'consumeEvents', queue: 'session', workflowId: 'w', runId: 'r', attempt: 3 };

test('writes a line for an activity, with the span that it began', async () => {
  const { ended, lines } = await run(async () => {
    noteActivitySpan(SPAN);
  });
  expect(ended).toBe('completed');
  expect(lines).toMatchObject([
    { ...ACTIVITY, outcome: 'completed', trace_id: SPAN.traceId, span_id: SPAN.spanId, msg: 'activity ended' },
  ]);
  expect(typeof lines[0]?.['ms']).toBe('number');
});

test('writes the type of a failure, and not its message', async () => {
  const { ended, lines } = await run(() => Promise.reject(ApplicationFailure.nonRetryable('the text', 'ModelRefused')));
  expect(ended).toBe('failed');
  expect(lines).toMatchObject([{ ...ACTIVITY, outcome: 'ModelRefused', level: 30 }]);
  expect(lines[0]).not.toHaveProperty('trace_id');
  expect(JSON.stringify(lines)).not.toContain('the text');
});

test('writes deferred work at the level debug', async () => {
  const deferred = { type: 'Deferred', message: 'deferred', category: ApplicationFailureCategory.BENIGN };
  const { lines } = await run(() => Promise.reject(ApplicationFailure.create(deferred)));
  expect(lines).toMatchObject([{ outcome: 'Deferred', level: 20 }]);
});

test('gives spans of an activity its workflow, run and attempt; none elsewhere', async () => {
  let attributes = {};
  await run(async () => {
    attributes = activityAttributes();
  });
  expect(attributes).toEqual({
    'temporal.activity': 'consumeEvents',
    'temporal.attempt': 3,
    'temporal.workflow_id': 'w',
    'temporal.run_id': 'r',
  });
  expect(activityAttributes()).toEqual({});
});
