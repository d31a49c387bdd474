import { randomInt } from 'node:crypto';
import { loadavg } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { notesOf } from '../faults/support/hook-client.ts';
import { SERVICES, startFaultInstance } from '../faults/support/fault-instance.ts';
import type { FaultInstance } from '../faults/support/fault-instance.ts';
import { recordedSessions } from '../faults/support/recorded-sessions.ts';
import { percentile } from '../bench/figures.ts';
import { memoryOf } from '../bench/process-tree.ts';
import { randomFrom } from '../domain/support/random.ts';
import { countsIn, CounterSums } from './counters.ts';
import { killPlan } from './kills.ts';
import { playSession } from './live-session.ts';
import type { RequestLog, SentEvent } from './live-session.ts';
import { memorySlopes } from './memory.ts';
import type { MemorySample } from './memory.ts';
import { loadOptions } from './options.ts';
import { readLoss, readSearchable } from './outcome.ts';
import { boundsOf, stagesOf, targetAt } from './stages.ts';
import { atLeastShare, atMost } from './thresholds.ts';

// Load test (docs/testing.md): live sessions in stages on an instance whose processes are killed. Prints one JSON line; progress goes to stderr. Ends with 1 if a
// threshold is missed.

const READ_MS = 2_000;
const MEMORY_MS = 5_000;
const CHANGE_MS = 250;
/** Of the steady stage, before memory is measured. */
const WARM_UP_SHARE = 1 / 6;
/** The slope of a shorter time is that of the garbage collector. */
const LEAST_SLOPE_MS = 9 * 60_000;

/** Entries of the hook client’s log: events that it did not deliver at once. */
const NOTES = [
  'spooled',
  'handed-over',
  'not-spooled',
  'out-of-time',
  'refused',
  'no-input',
  'internal-error',
] as const;

const say = (text: string) => process.stderr.write(`${text}\n`);
const seconds = (ms: number) => Math.round(ms / 100) / 10;

/** The period of the objectives, and the error budget of an available capture (docs/slo.md). */
const PERIOD_MS = 30 * 86_400_000;
const BUDGET = 0.001;

const { minutes, sessions, seed = randomInt(1, 1_000_000) } = loadOptions(process.argv.slice(2));
const stages = stagesOf(minutes * 60_000, sessions);
const totalMs = minutes * 60_000;

async function run(instance: FaultInstance): Promise<boolean> {
  const startedMs = performance.now();
  const now = () => performance.now() - startedMs;
  const random = randomFrom(seed);
  const faults = boundsOf(stages, 'faults');
  const steady = boundsOf(stages, 'steady');
  const plan = killPlan(SERVICES, faults, random);
  const log: RequestLog = { search: [], context: [], failed: 0, unanswered: 0 };
  const recorded = recordedSessions();
  const sent = new Map<string, SentEvent[]>();
  const sums = new CounterSums();
  const { url, apiKey } = instance.credentials;

  const readCounters = async (): Promise<void> => {
    const response = await fetch(`${url}/api/v1/metrics`, {
      headers: { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.timeout(READ_MS),
    }).catch(() => null);
    // The api was killed; its successor is read.
    if (response?.ok === true) sums.add(countsIn(await response.text()));
  };

  const user = async (n: number): Promise<void> => {
    const ownRandom = randomFrom(seed + n);
    const isWanted = () => targetAt(stages, now()) > n;
    for (let round = 0; now() < totalMs;) {
      if (!isWanted()) {
        await wait(CHANGE_MS);
        continue;
      }
      const externalId = `load-${seed}-${n}-${round}`;
      const events: SentEvent[] = [];
      sent.set(externalId, events);
      await playSession(externalId, {
        dataDir: instance.dataDir,
        recorded,
        credentials: instance.credentials,
        log,
        random: ownRandom,
        isWanted,
        onSend: (event) => void events.push(event),
      });
      round += 1;
    }
  };

  /** Does something again and again from one time of the run until another. */
  const during = async (fromMs: number, toMs: number, everyMs: number, work: () => void | Promise<void>) => {
    await wait(Math.max(0, fromMs - now()));
    while (now() < toMs) {
      await work();
      await wait(everyMs);
    }
  };

  const kills: { service: string; at_s: number; recovered_after_s: number }[] = [];
  const kill = async (): Promise<void> => {
    for (const { service, atMs } of plan) {
      await wait(Math.max(0, atMs - now()));
      await readCounters();
      const killedMs = now();
      say(`${seconds(killedMs)} s: ${service} is killed`);
      const killed = instance.kill([service]);
      sums.setOutage(true);
      await instance.recovered(killed);
      await readCounters();
      sums.setOutage(false);
      kills.push({ service, at_s: seconds(killedMs), recovered_after_s: seconds(now() - killedMs) });
    }
  };

  const memory: MemorySample[] = [];
  const measureFromMs = steady.fromMs + (steady.toMs - steady.fromMs) * WARM_UP_SHARE;
  const sampleMemory = (): void => {
    // In a short run the last kills are late.
    if (kills.length < plan.length) return;
    const pids = new Map(SERVICES.map((service) => [service, instance.pid(service)] as const));
    const rows = memoryOf(instance.supervisor, pids);
    memory.push({ atMs: now(), mib: new Map(rows.map(({ name, pssMib }) => [name, pssMib])) });
  };

  say(`seed ${seed}; ${minutes} minutes, ${sessions} sessions at a time; data in ${instance.dataDir}`);
  await Promise.all([
    ...Array.from({ length: sessions }, (_, n) => user(n)),
    kill(),
    during(faults.fromMs, totalMs, READ_MS, readCounters),
    during(measureFromMs, steady.toMs, MEMORY_MS, sampleMemory),
  ]);
  await readCounters();
  say(`${seconds(now())} s: the sessions have ended`);
  const loss = await readLoss(instance, sent);
  const searchable = await readSearchable(instance, [...sent.keys()]);

  const { all, outside, outages } = sums;
  const slopes = memorySlopes(memory);
  const isLong = steady.toMs - measureFromMs >= LEAST_SLOPE_MS;
  const thresholds = [
    atLeastShare(
      'capture available, outside of outages',
      outside.captureRequests - outside.captureFailures,
      outside.captureRequests,
      1 - BUDGET,
    ),
    atLeastShare('capture within 100 ms', all.capturesInTime, all.captures, 0.99),
    atLeastShare('search within 300 ms', all.searchesInTime, all.searches, 0.99),
    atLeastShare('session searchable within 60 s', searchable.within_60_s, searchable.ended, 0.99),
    atMost('lost rows', loss.lost, 0),
    atMost('unexpected rows', loss.unexpected, 0),
    ...Object.entries(slopes).map(([name, { slope_percent: slope }]) =>
      atMost(`memory of ${name}, % in 10 minutes`, slope, 1, isLong),
    ),
  ];
  const ok = thresholds.every((threshold) => threshold.ok !== false);
  for (const { name, limit, value, ok: isMet } of thresholds)
    say(`${isMet === null ? 'not judged' : isMet ? 'met' : 'MISSED'}: ${name} ${value ?? 'unknown'} (${limit})`);
  const figures = {
    bench: 'load',
    ok,
    minutes,
    seed,
    // Other work on the machine counts as slowness of the instance.
    load_average_before: loadBefore,
    sessions: sent.size,
    ...loss,
    client: Object.fromEntries(NOTES.map((what) => [what, notesOf(instance.dataDir, what)])),
    capture: { outside, outages },
    // Share of the error budget of 30 days at this rate that the failures of this run use.
    capture_budget_used:
      (all.captureFailures / (BUDGET * all.captureRequests)) * ((totalMs - faults.fromMs) / PERIOD_MS),
    searchable,
    searches: {
      answered: log.search.length,
      p50_ms: percentile(log.search, 0.5),
      p99_ms: percentile(log.search, 0.99),
    },
    contexts: {
      answered: log.context.length,
      p50_ms: percentile(log.context, 0.5),
      p99_ms: percentile(log.context, 0.99),
    },
    reads_failed: log.failed,
    reads_unanswered: log.unanswered,
    kills,
    memory: slopes,
    thresholds,
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  return ok;
}

const [loadBefore = 0] = loadavg();
const instance = await startFaultInstance({}, {});
try {
  process.exitCode = (await run(instance)) ? 0 : 1;
} catch (error) {
  say(instance.account());
  throw error;
} finally {
  await instance.remove();
}
