import { randomUUID } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { BACKUP_SCENARIOS } from '../replay/backup-scenarios.ts';
import { MODEL_BATCH_SCENARIOS } from '../replay/model-batch-scenarios.ts';
import { OTHER_SCENARIOS } from '../replay/other-scenarios.ts';
import { REINDEX_SCENARIOS } from '../replay/reindex-scenarios.ts';
import type { Scenario } from '../replay/scenario.ts';
import { startScriptedWorkers } from '../replay/scripted-workers.ts';
import { SESSION_SCENARIOS } from '../replay/session-scenarios.ts';

interface Played {
  readonly status: string;
  readonly activities: readonly string[];
  /** How often each of the activities may be tried. */
  readonly attempts: readonly (number | null | undefined)[];
  readonly tasks: number;
}

/** Runs a scenario on the suite's Temporal and answers how its run ended, and what it did in order. */
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
    const activities = scheduled.map((each) => each.activityType?.name ?? '');
    const attempts = scheduled.map((each) => each.retryPolicy?.maximumAttempts);
    const tasks = events.filter((event) => event.workflowTaskStartedEventAttributes).length;
    const status = closing.replace('workflowExecution', '').replace('EventAttributes', '');
    return { tasks, status, activities, attempts };
  } finally {
    await workers.stop();
  }
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

// Most of a scenario is waiting for timers of the workflow, each in a namespace of its own. What sends signals by the thousand goes alone.
describe('session workflow', { timeout: 240_000, concurrent: true }, () => {
  test('closes in order: windows, session summary, learnings, vectors, end', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-happy'));
    expect(status).toBe('Completed');
    const order = ['summariseWindows', 'summariseSession', 'settle'].map((name) => activities.lastIndexOf(name));
    expect(order.every((place) => place >= 0)).toBe(true);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test('a capture during the closing sends it back to work', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-reopened'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'settle')).toHaveLength(2);
    expect(activities.lastIndexOf('consumeEvents')).toBeGreaterThan(activities.indexOf('settle'));
  });

  test('waits, visible, while the provider is away, and goes on by itself', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-provider-away'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'summariseWindows').length).toBeGreaterThanOrEqual(2);
  });

  test('continues as new by its count of signals and keeps its counters', { concurrent: false }, async () => {
    expect((await play(scenario('session', 'few-tasks-continued'))).status).toBe('ContinuedAsNew');
  });

  test('ends by itself when nothing comes any more', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-idle'));
    expect(status).toBe('Completed');
    expect(activities).toContain('summariseWindows');
  });

  test('a session summary that nothing can mend does not keep the session from its end', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-unsummarised'));
    expect(status).toBe('Completed');
    expect(activities).toContain('settle');
  });

  test('stops for a session that was deleted', async () => {
    expect(await play(scenario('session', 'few-tasks-deleted'))).toMatchObject({
      status: 'Completed',
      activities: ['consumeEvents'],
    });
  });

  test('can be cancelled, and shows it', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-cancelled'));
    expect(status).toBe('Canceled');
    expect(activities.at(-1)).toBe('updateSessionPhase');
  });

  test('waits for its vectors without asking again and again', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-vectors-pending'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'settle')).toHaveLength(2);
  });

  test('a window that is cut while another one is summarised is not forgotten', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-cut-meanwhile'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'summariseWindows')).toHaveLength(2);
    expect(activities.indexOf('summariseSession')).toBeGreaterThan(activities.lastIndexOf('summariseWindows'));
  });

  test('is summed up when somebody asks, and goes on', async () => {
    const { activities } = await play(scenario('session', 'few-tasks-summarised-now'));
    expect(activities.filter((name) => name.startsWith('summarise'))).toEqual(['summariseWindows', 'summariseSession']);
  });

  test('does what a run before left unanswered once, whatever follows', { concurrent: false }, async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-asked-before'));
    expect(status).toBe('ContinuedAsNew');
    expect(activities.filter((name) => name.startsWith('summarise'))).toEqual(['summariseSession']);
  });

  test('leaves what is asked for at the end of a run to the next one', { concurrent: false }, async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-asked-while-leaving'));
    expect(status).toBe('ContinuedAsNew');
    expect(activities).not.toContain('summariseSession');
  });

  test('is closed when somebody asks while its summary is made', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-closed-during-summary'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'settle')).toHaveLength(1);
  });

  test('is closed when somebody asks', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-closed'));
    expect(status).toBe('Completed');
    expect(activities.at(-1)).toBe('settle');
  });

  test('has its capture switched off', async () => {
    expect((await play(scenario('session', 'few-tasks-capture-off'))).activities).toContain('setCapture');
  });

  test('does not wait for the provider any longer when somebody asks to try again', async () => {
    const { status, activities } = await play(scenario('session', 'few-tasks-retried'));
    expect(status).toBe('Completed');
    expect(activities.filter((name) => name === 'summariseWindows').length).toBeGreaterThanOrEqual(2);
  });

  test('continues as new before its history is long', { concurrent: false }, async () => {
    const { status, tasks } = await play(scenario('session', 'few-tasks-continued-by-events'));
    expect(status).toBe('ContinuedAsNew');
    expect(tasks).toBeLessThan(2_000);
  });

  test('a session that was captured and then ended costs few workflow tasks', async () => {
    expect((await play(scenario('session', 'few-tasks-happy'))).tasks).toBeLessThanOrEqual(10);
  });
});

describe('other workflows', { timeout: 240_000, concurrent: true }, () => {
  test.each([
    ['learning', 'failed', 'Failed'],
    ['index', 'happy', 'Completed'],
    ['index', 'together', 'Completed'],
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
  test('a session waits, visible, until the batch has told, and only then sums itself up', async () => {
    const { status, activities } = await play(scenario('session', 'batch'));
    expect(status).toBe('Completed');
    expect(activities).not.toContain('summariseWindows');
    expect(activities.lastIndexOf('offerWindows')).toBeLessThan(activities.indexOf('summariseSession'));
    expect(activities.filter((name) => name === 'offerWindows')).toHaveLength(2);
  });

  test('who asks for a summary gets it while windows lie in a batch, which is waited for afterwards', async () => {
    const { activities } = await play(scenario('session', 'batch-summarised-now'));
    expect(activities.indexOf('summariseSession')).toBeGreaterThan(activities.indexOf('offerWindows'));
    expect(activities.lastIndexOf('offerWindows')).toBeGreaterThan(activities.indexOf('summariseSession'));
    expect(activities).not.toContain('settle');
  });

  test('a batch outlives a provider that is away for longer than an activity may take', async () => {
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
  test('is looked after until the old one is gone, and continues as new', async () => {
    const { status, activities } = await play(scenario('reindex', 'happy'));
    expect(status).toBe('Completed');
    expect(activities).toEqual(Array.from({ length: 4 }, () => 'reindexStep'));
    expect((await play(scenario('reindex', 'continued'))).status).toBe('ContinuedAsNew');
  });

  test('looks at once when somebody asks', async () => {
    expect(await play(scenario('reindex', 'asked'))).toMatchObject({
      status: 'Completed',
      activities: ['reindexStep', 'reindexStep'],
    });
  });
});

describe('a backup', { timeout: 240_000, concurrent: true }, () => {
  test('is made, pruned and copied, each with as many attempts as an hour without the store takes', async () => {
    const { status, activities, attempts } = await play(scenario('backupRun', 'happy'));
    expect(status).toBe('Completed');
    expect(activities).toEqual(['createBackup', 'pruneBackups', 'copyBackup', 'finishBackup']);
    expect(attempts.slice(0, 3)).toEqual([20, 20, 20]);
  });

  test('is copied also where old sets could not be taken away, and is told as failed then', async () => {
    expect(await play(scenario('backupRun', 'prune-failed'))).toMatchObject({
      status: 'Failed',
      activities: ['createBackup', 'pruneBackups', 'copyBackup', 'finishBackup'],
    });
  });

  test('that is cancelled while old sets are taken away is not copied any more', async () => {
    expect(await play(scenario('backupRun', 'prune-cancelled'))).toMatchObject({
      status: 'Canceled',
      activities: ['createBackup', 'pruneBackups', 'finishBackup'],
    });
  });
});
