import { randomUUID } from 'node:crypto';
import type { StoredHistory } from '../replay/history-file.ts';
import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { BACKUP_SCENARIOS } from '../replay/backup-scenarios.ts';
import { MODEL_BATCH_SCENARIOS } from '../replay/model-batch-scenarios.ts';
import { OTHER_SCENARIOS } from '../replay/other-scenarios.ts';
import { REINDEX_SCENARIOS } from '../replay/reindex-scenarios.ts';
import type { Scenario } from '../replay/scenario.ts';
import { startScriptedWorkers } from '../replay/scripted-workers.ts';
import { SESSION_SCENARIOS } from '../replay/session-scenarios.ts';
import { until } from '../setup/until.ts';

interface Played {
  readonly status: string;
  readonly activities: readonly string[];
  /** For how long each activity is retried; null with a limit of attempts. */
  readonly retryHours: readonly (number | null)[];
  readonly tasks: number;
  readonly events: number;
  /** A step within a workflow task took more than its two seconds: it was repeated as an activity. */
  readonly isDelayed: boolean;
}

const markerSchema = z.object({ activity_type: z.string() });

/** Returns the name of the activity that an event is of: scheduled, or completed within a workflow task. */
function stepOf(event: NonNullable<StoredHistory['events']>[number]): string[] {
  const scheduled = event.activityTaskScheduledEventAttributes?.activityType?.name;
  if (typeof scheduled === 'string') return [scheduled];
  const marker = event.markerRecordedEventAttributes;
  const data = marker?.details?.['data']?.payloads?.[0]?.data;
  if (marker?.markerName !== 'core_local_activity' || data === null || data === undefined) return [];
  return [markerSchema.parse(JSON.parse(Buffer.from(data).toString('utf8'))).activity_type];
}

/** Runs a scenario on the suite's Temporal; returns the status of its run and its activities in order. */
async function play(scenario: Scenario): Promise<Played> {
  const workers = await startScriptedWorkers(
    inject('engines').temporal.address,
    `scenario-${randomUUID()}`,
    scenario.activities(),
  );
  try {
    const handle = await scenario.run(workers.client);
    const history = await handle.fetchHistory();
    const events = history.events ?? [];
    const closing = Object.keys(events.at(-1) ?? {}).find((name) => name.endsWith('EventAttributes')) ?? '';
    const scheduled = events.flatMap((event) => event.activityTaskScheduledEventAttributes ?? []);
    const activities = events.flatMap(stepOf);
    const retryHours = scheduled.map((each) =>
      each.retryPolicy?.maximumAttempts === 0 ? Number(each.scheduleToCloseTimeout?.seconds) / 3_600 : null,
    );
    const tasks = events.filter((event) => event.workflowTaskStartedEventAttributes).length;
    const status = closing.replace('workflowExecution', '').replace('EventAttributes', '');
    const isDelayed = events.some((event) => event.markerRecordedEventAttributes?.failure?.timeoutFailureInfo);
    return { tasks, events: events.length, status, activities, retryHours, isDelayed };
  } finally {
    await workers.stop();
  }
}

/** As `play`, again while a busy machine delays steps: for exact numbers of steps and tasks. */
function playExactly(scenario: Scenario): Promise<Played> {
  return until(
    async () => {
      const played = await play(scenario);
      return played.isDelayed ? undefined : played;
    },
    undefined,
    'steps without a delay',
  );
}

function scenario(workflow: string, shape: string): Scenario {
  const found = [
    ...SESSION_SCENARIOS,
    ...OTHER_SCENARIOS,
    ...REINDEX_SCENARIOS,
    ...MODEL_BATCH_SCENARIOS,
    ...BACKUP_SCENARIOS,
  ].find((each) => each.workflow === workflow && each.shape === shape);
  if (found === undefined) throw new Error(`there is no scenario ${workflow} ${shape}`);
  return found;
}

// Scenarios mostly wait for timers, each in its own namespace. Those that send more than a thousand signals run alone, and those that expect steps within a workflow task, which have two seconds.
describe('session workflow', { timeout: 240_000, concurrent: true }, () => {
  test('consumes events while a requested summary waits for its provider, and then writes it', async () => {
    const { activities } = await playExactly(scenario('session', 'summarised-after-outage'));
    const steps = activities.filter((name) => name === 'consumeEvents' || name === 'summariseSession');
    const again = ['consumeEvents', 'consumeEvents', 'summariseSession'];
    expect(steps).toEqual([...again, ...again, ...again]);
  });

  test('closes in order: windows, session summary, learnings, end', async () => {
    const { status, activities } = await play(scenario('session', 'happy'));
    expect(status).toBe('Completed');
    const order = ['summariseWindows', 'summariseSession', 'settle'].map((name) => activities.lastIndexOf(name));
    expect(order.every((place) => place >= 0)).toBe(true);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test('continues after a capture during the closing', async () => {
    const { status, activities } = await playExactly(scenario('session', 'reopened'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'settle')).toHaveLength(2);
    expect(activities.lastIndexOf('consumeEvents')).toBeGreaterThan(activities.indexOf('settle'));
  });

  test('waits visibly while the provider is unavailable, and continues by itself', async () => {
    const { status, activities } = await play(scenario('session', 'provider-away'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'summariseWindows').length).toBeGreaterThanOrEqual(2);
  });

  test('continues as new after many hints and retains its counters', { concurrent: false }, async () => {
    expect((await play(scenario('session', 'continued'))).status).toBe('ContinuedAsNew');
  });

  test('ends by itself without further events', async () => {
    const { status, activities } = await play(scenario('session', 'idle'));
    expect(status).toBe('Completed');
    expect(activities).toContain('summariseWindows');
  });

  test('ends also if its summary fails permanently', async () => {
    const { status, activities } = await play(scenario('session', 'unsummarised'));
    expect(status).toBe('Completed');
    expect(activities).toContain('settle');
  });

  test('stops for a session that was deleted', { concurrent: false }, async () => {
    expect(await playExactly(scenario('session', 'deleted'))).toMatchObject({
      status: 'Completed',
      activities: ['consumeEvents'],
    });
  });

  test('can be cancelled, and shows it', async () => {
    const { status, activities } = await play(scenario('session', 'cancelled'));
    expect(status).toBe('Canceled');
    expect(activities.at(-1)).toBe('updateSessionPhase');
  });

  test(
    'ends within one workflow task without inference, without a step of a model',
    { concurrent: false },
    async () => {
      const { status, activities, tasks, events } = await playExactly(scenario('session', 'without-inference'));
      expect({ status, activities, tasks }).toEqual({ status: 'Completed', activities: ['consumeEvents'], tasks: 1 });
      expect(events).toBeLessThanOrEqual(15);
    },
  );

  test('repeats a deferred step as an activity', async () => {
    const { status, activities } = await playExactly(scenario('session', 'deferred'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'consumeEvents')).toHaveLength(2);
    expect(activities.filter((name) => name === 'settle')).toHaveLength(2);
  });

  test('a window that is cut while another one is summarised is not forgotten', async () => {
    const { status, activities } = await play(scenario('session', 'cut-meanwhile'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'summariseWindows')).toHaveLength(2);
    expect(activities.indexOf('summariseSession')).toBeGreaterThan(activities.lastIndexOf('summariseWindows'));
  });

  test('is summarised on request, and continues', async () => {
    const { activities } = await play(scenario('session', 'summarised-now'));
    expect(activities.filter((name) => name.startsWith('summarise'))).toEqual(['summariseWindows', 'summariseSession']);
  });

  test('completes the open request of the previous run once', { concurrent: false }, async () => {
    const { status, activities } = await play(scenario('session', 'asked-before'));
    expect(status).toBe('ContinuedAsNew');
    expect(activities.filter((name) => name.startsWith('summarise'))).toEqual(['summariseSession']);
  });

  test('leaves a request at the end of a run to the next run', { concurrent: false }, async () => {
    const { status, activities } = await play(scenario('session', 'asked-while-leaving'));
    expect(status).toBe('ContinuedAsNew');
    expect(activities).not.toContain('summariseSession');
  });

  test('is closed on request while its summary is written', async () => {
    const { status, activities } = await playExactly(scenario('session', 'closed-during-summary'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'settle')).toHaveLength(1);
  });

  test('is closed on request', async () => {
    const { status, activities } = await play(scenario('session', 'closed'));
    expect(status).toBe('Completed');
    expect(activities.at(-1)).toBe('settle');
  });

  test('has its capture switched off', async () => {
    expect((await play(scenario('session', 'capture-off'))).activities).toContain('setCapture');
  });

  test('ends its wait for the provider on a retry request', async () => {
    const { status, activities } = await play(scenario('session', 'retried'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'summariseWindows').length).toBeGreaterThanOrEqual(2);
  });

  test('continues as new before its history is long', { concurrent: false }, async () => {
    const { status, tasks } = await play(scenario('session', 'continued-by-events'));
    expect(status).toBe('ContinuedAsNew');
    expect(tasks).toBeLessThan(2_000);
  });

  test('a session that was captured and then ended costs few workflow tasks', async () => {
    expect((await playExactly(scenario('session', 'happy'))).tasks).toBeLessThanOrEqual(10);
  });
});

describe('other workflows', { timeout: 240_000, concurrent: true }, () => {
  test.each([
    ['learning', 'failed', 'Failed'],
    ['learning', 'database-away', 'Completed'],
    ['index', 'happy', 'Completed'],
    ['index', 'refused', 'Completed'],
    ['index', 'away', 'Completed'],
    ['captureSweep', 'failed', 'Failed'],
    ['captureSweep', 'away', 'Completed'],
    ['partitions', 'happy', 'Completed'],
  ])('%s %s ends %s', async (workflow, shape, status) => {
    expect((await play(scenario(workflow, shape))).status).toBe(status);
  });
});

describe('batch mode', { timeout: 240_000, concurrent: true }, () => {
  test('a session waits visibly until its batch has finished, and only then is summarised', async () => {
    const { status, activities } = await play(scenario('session', 'batch'));
    expect(status).toBe('Completed');
    expect(activities).not.toContain('summariseWindows');
    expect(activities.lastIndexOf('offerWindows')).toBeLessThan(activities.indexOf('summariseSession'));
    expect(activities.filter((name) => name === 'offerWindows')).toHaveLength(2);
  });

  test('a requested summary is written while windows are in a batch; the session then waits for the batch', async () => {
    const { activities } = await play(scenario('session', 'batch-summarised-now'));
    expect(activities.indexOf('summariseSession')).toBeGreaterThan(activities.indexOf('offerWindows'));
    expect(activities.lastIndexOf('offerWindows')).toBeGreaterThan(activities.indexOf('summariseSession'));
    expect(activities).not.toContain('settle');
  });

  test('a batch survives a provider that is unavailable for longer than an activity may take', async () => {
    const { status, activities } = await play(scenario('modelBatch', 'provider-away'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'submitBatch')).toHaveLength(2);
    expect(activities.at(-1)).toBe('collectBatch');
  });

  test('a batch that is ended lets its windows wait again', async () => {
    const { status, activities } = await play(scenario('modelBatch', 'cancelled'));
    expect(status).toBe('Canceled');
    expect(activities.at(-1)).toBe('releaseBatch');
    expect(activities).not.toContain('collectBatch');
  });
});

describe('a change of the index', { timeout: 240_000, concurrent: true }, () => {
  test('runs until the old index is removed, and continues as new', async () => {
    const { status, activities } = await play(scenario('reindex', 'happy'));
    expect(status).toBe('Completed');
    expect(activities).toEqual(Array.from({ length: 4 }, () => 'reindexStep'));
    expect((await play(scenario('reindex', 'continued'))).status).toBe('ContinuedAsNew');
  });

  test('checks at once on request', async () => {
    expect(await play(scenario('reindex', 'asked'))).toMatchObject({
      status: 'Completed',
      activities: ['reindexStep', 'reindexStep'],
    });
  });
});

describe('a backup', { timeout: 240_000, concurrent: true }, () => {
  test('creates, prunes and copies, each retried for hours without a limit of attempts', async () => {
    const { status, activities, retryHours } = await play(scenario('backupRun', 'happy'));
    expect(status).toBe('Completed');
    expect(activities).toEqual(['createBackup', 'pruneBackups', 'copyBackup', 'finishBackup']);
    expect(retryHours.slice(0, 3)).toEqual([12, 3, 12]);
  });

  test('is copied also if old sets could not be removed, and then fails', async () => {
    expect(await play(scenario('backupRun', 'prune-failed'))).toMatchObject({
      status: 'Failed',
      activities: ['createBackup', 'pruneBackups', 'copyBackup', 'finishBackup'],
    });
  });

  test('that is cancelled while old sets are removed is not copied', async () => {
    expect(await play(scenario('backupRun', 'prune-cancelled'))).toMatchObject({
      status: 'Canceled',
      activities: ['createBackup', 'pruneBackups', 'finishBackup'],
    });
  });
});
