import { processEnvironment } from '../../config/process-environment.ts';
import { expect, test } from 'vitest';
import { fileInstance } from '../setup/file-instance.ts';
import { SWEEPS } from '../setup/instance.ts';
import { until } from '../setup/until.ts';
import { startWorkerProcess } from '../setup/worker-process.ts';
import { ReplayClient } from './support/clients.ts';
import { asEvents } from './support/deliveries.ts';
import { expectEnded, expectEveryVector, expectNoFailedWorkflow } from './support/outcome.ts';
import { expectStoredOnce } from './support/stored-rows.ts';
import { insideOf } from './support/test-instance-inside.ts';

/** FAULTS_SESSIONS sets a smaller number for a slow machine. */
const SESSIONS = Number(processEnvironment()['FAULTS_SESSIONS'] ?? 1_000);
const CLIENTS = 16;
const SETTLE_TIMEOUT_MS = 1_500_000;
const LIVE_TIMEOUT_MS = 120_000;

const say = (text: string) => process.stderr.write(`${text}\n`);
const seconds = (sinceMs: number) => Math.round((performance.now() - sinceMs) / 100) / 10;

const instance = fileInstance({ RECOLLECT_HINT_DELAY_MS: '200' }, SWEEPS);

/** Returns a short, unique session of five hooks. */
function shortSession(n: number) {
  const session_id = `live-${n}`;
  const cwd = '/src/deploy';
  return [
    { hook_event_name: 'SessionStart' },
    { hook_event_name: 'UserPromptSubmit', prompt: `Count the screws in box ${n}.` },
    {
      hook_event_name: 'PostToolUse',
      tool_name: 'Bash',
      tool_input: { command: `count box-${n}` },
      tool_response: { stdout: `${n * 7 + 3} screws` },
    },
    { hook_event_name: 'Stop' },
    { hook_event_name: 'SessionEnd' },
  ].map((hook) => ({ session_id, cwd, ...hook }));
}

/** Events before the new worker starts: the session is open, in the middle of a turn. */
const BEFORE = 3;

test(
  `${SESSIONS} live sessions continue when a newer build replaces their worker`,
  { timeout: 1_800_000 },
  async () => {
    const inside = insideOf(instance);
    const started = performance.now();
    const environment = { ...instance.environment, RECOLLECT_HTTP_PORT: '37700' };
    const first = await startWorkerProcess({ ...environment, RECOLLECT_BUILD_ID: 'build-1' });
    const credentials = { url: instance.url, apiKey: instance.admin.key };
    const clients = Array.from({ length: SESSIONS }, (_, n) => {
      const script = asEvents(`live-${n}`, shortSession(n));
      return { client: new ReplayClient([script], Math.random), events: script.deliveries.length };
    });
    /** Sends a part of every session, CLIENTS sessions at once. */
    const sendAll = async (sessions: typeof clients, part: (events: number) => number): Promise<void> => {
      const waiting = [...sessions];
      const work = async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
          await next.client.send(credentials, part(next.events), 0, () => {});
      };
      await Promise.all(Array.from({ length: CLIENTS }, work));
    };

    await sendAll(clients, () => BEFORE);
    await until(
      async () => {
        const live = await instance.temporal.workflow.count("ExecutionStatus = 'Running' AND WorkflowType = 'session'");
        return live.count === SESSIONS ? true : undefined;
      },
      LIVE_TIMEOUT_MS,
      `${SESSIONS} live sessions`,
    );
    say(`${SESSIONS} sessions live after ${seconds(started)} s`);

    // Half of them end while the old worker drains, half after the new one has started.
    const half = clients.slice(0, SESSIONS / 2);
    const [exitCode] = await Promise.all([first.stop(), sendAll(half, (events) => events - BEFORE)]);
    expect(exitCode).toBe(0);
    const second = await startWorkerProcess({ ...environment, RECOLLECT_BUILD_ID: 'build-2' });
    await sendAll(clients.slice(SESSIONS / 2), (events) => events - BEFORE);
    say(`worker replaced and all sent after ${seconds(started)} s`);

    const accepted = new Map(clients.flatMap(({ client }) => [...client.accepted]));
    expect(accepted.size).toBe(SESSIONS);
    const { rows } = await expectStoredOnce(inside, accepted);
    const sessions = await expectEnded(inside, [...accepted.keys()], SETTLE_TIMEOUT_MS);
    await expectStoredOnce(inside, accepted);
    const { vectors } = await expectEveryVector(inside);
    await expectNoFailedWorkflow(inside, sessions);
    // Sessions that were still open continued with the new build; none is pinned to the old one.
    const { count } = await instance.temporal.workflow.count(
      "ExecutionStatus = 'Completed' AND WorkflowType = 'session' AND TemporalWorkerDeploymentVersion = 'recollect:build-2'",
    );
    expect(count).toBeGreaterThanOrEqual(SESSIONS / 2);
    expect(await second.stop()).toBe(0);
    say(`${SESSIONS} sessions of ${rows} rows and ${vectors} vectors ended after ${seconds(started)} s`);
  },
);
