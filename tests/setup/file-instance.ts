import { afterAll, beforeAll } from 'vitest';
import type { ScheduleName } from '../../domain/jobs.ts';
import { startTestInstance } from './instance.ts';
import type { TestInstance } from './instance.ts';

type Settings = Readonly<Record<string, string>>;

/**
 * Registers the start of one instance for a test file, before its other hooks, and the close after them. Returns the instance; its members exist
 * once it is started. Not a fixture of `test.extend`: lint recognises only the `test` of vitest, and would miss focused and skipped tests.
 */
export function fileInstance(
  settings: Settings | (() => Promise<Settings>) = {},
  schedules?: readonly ScheduleName[],
): TestInstance {
  const instance = {} as TestInstance;
  let started: TestInstance | undefined;
  beforeAll(async () => {
    started = await startTestInstance(typeof settings === 'function' ? await settings() : settings, schedules);
    Object.assign(instance, started);
  });
  afterAll(() => started?.close());
  return instance;
}
