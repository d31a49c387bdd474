import { readdirSync } from 'node:fs';
import { Worker } from '@temporalio/worker';
import '../setup/quiet-runtime.ts';
import { describe, expect, test } from 'vitest';
import { readBundle } from '../../workers/bundle.ts';
import * as workflows from '../../workflows/index.ts';
import { HISTORIES, readHistory } from './history-file.ts';
import type { StoredHistory } from './history-file.ts';
import { historyFile, SHAPES } from './shapes.ts';

const stored = Object.entries(SHAPES).flatMap(([workflow, shapes]) =>
  shapes.map((shape) => historyFile(workflow, shape)),
);

/** Replays histories in one call; returns the error of each, by file name. */
async function replayAll(histories: ReadonlyMap<string, StoredHistory>): Promise<Map<string, Error | undefined>> {
  const input = [...histories].map(([workflowId, history]) => ({ workflowId, history }));
  const errors = new Map<string, Error | undefined>();
  for await (const result of Worker.runReplayHistories({ workflowBundle: readBundle(), replayName: 'stored' }, input))
    errors.set(result.workflowId, result.error);
  return errors;
}

function hasType(
  history: StoredHistory,
  attribute: 'activityTaskScheduledEventAttributes' | 'timerStartedEventAttributes',
): boolean {
  return (history.events ?? []).some((event) => event[attribute] !== null && event[attribute] !== undefined);
}

describe('stored histories', () => {
  test('every workflow of the bundle has its shapes stored, and nothing else is', () => {
    expect(Object.keys(SHAPES).sort()).toEqual(Object.keys(workflows).sort());
    expect(readdirSync(HISTORIES).sort()).toEqual(stored.toSorted());
  });

  test('replay on the code of today', { timeout: 240_000 }, async () => {
    const errors = await replayAll(new Map(stored.map((file) => [file, readHistory(file)])));
    expect([...errors.keys()].sort()).toEqual(stored.toSorted());
    expect([...errors].filter(([, error]) => error !== undefined)).toEqual([]);
  });

  test(
    'negative control: no workflow replays a history in which another activity was scheduled',
    { timeout: 240_000 },
    async () => {
      const altered = new Map(
        Object.keys(SHAPES).map((workflow) => {
          const file = historyFile(workflow, 'happy');
          const history = readHistory(file);
          expect(hasType(history, 'activityTaskScheduledEventAttributes')).toBe(true);
          for (const event of history.events ?? []) {
            const scheduled = event.activityTaskScheduledEventAttributes;
            if (scheduled?.activityType) scheduled.activityType.name = 'anotherActivity';
          }
          return [file, history] as const;
        }),
      );
      const errors = await replayAll(altered);
      expect([...errors].filter(([, error]) => error === undefined)).toEqual([]);
      expect(errors.size).toBe(Object.keys(workflows).length);
    },
  );

  test('negative control: a history without its timers must fail', { timeout: 240_000 }, async () => {
    const history = readHistory('session.idle.json');
    expect(hasType(history, 'timerStartedEventAttributes')).toBe(true);
    history.events = (history.events ?? []).filter(
      (event) =>
        !event.timerStartedEventAttributes && !event.timerFiredEventAttributes && !event.timerCanceledEventAttributes,
    );
    const errors = await replayAll(new Map([['session.idle.json', history]]));
    expect(errors.get('session.idle.json')).toBeInstanceOf(Error);
  });
});

describe('the content of a history', () => {
  test('ids and counters, never content, in small payloads', () => {
    const payloadBytes = (file: string) =>
      (readHistory(file).events ?? []).flatMap((event) => [
        ...(event.activityTaskCompletedEventAttributes?.result?.payloads ?? []),
        ...(event.activityTaskScheduledEventAttributes?.input?.payloads ?? []),
        ...(event.workflowExecutionStartedEventAttributes?.input?.payloads ?? []),
      ]);
    for (const file of stored)
      for (const payload of payloadBytes(file)) expect(payload.data?.length ?? 0).toBeLessThan(1_024);
  });
});
