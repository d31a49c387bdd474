import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { startAlertmanager } from '../observability/support/alertmanager-process.ts';
import type { AlertmanagerProcess, ReceivedAlert } from '../observability/support/alertmanager-process.ts';
import { startPrometheus } from '../observability/support/prometheus-process.ts';
import type { PrometheusProcess } from '../observability/support/prometheus-process.ts';
import { alertsOf, shortened } from '../observability/support/shortened-rules.ts';
import { until, untilTrue } from '../setup/until.ts';
import { alertFaults } from './support/alert-faults.ts';
import type { AlertFault } from './support/alert-faults.ts';
import { startFaultInstance } from './support/fault-instance.ts';
import type { FaultInstance } from './support/fault-instance.ts';

/** Durations in the rules (`for`, ranges, offsets) are divided by this number: minutes become seconds. Ages in expressions, such as 13 hours, are not. */
const DIVISOR = 60;
/** After the `for` of its rule an alert may take this long to its receiver. */
const ARRIVAL_MS = 60_000;
/** Alertmanager sends changes of a group once a minute. */
const RESOLVED_MS = 120_000;
const RULES = fileURLToPath(new URL('../../observability/rules/alerts.yml', import.meta.url));
const P0 = alertsOf(shortened(readFileSync(RULES, 'utf8'), DIVISOR), 'P0');

const say = (text: string) => process.stderr.write(`${text}\n`);
const seconds = (ms: number) => Math.round(ms / 100) / 10;

let instance: FaultInstance;
let alertmanager: AlertmanagerProcess;
let prometheus: PrometheusProcess;

beforeAll(async () => {
  alertmanager = await startAlertmanager();
  // Only jobs that the test requests.
  instance = await startFaultInstance({ RECOLLECT_SCHEDULES_PAUSED: 'backup,restore-drill,retention,consistency' });
  prometheus = await startPrometheus({
    ...instance.scrape,
    alertmanager: alertmanager.address,
    divisor: DIVISOR,
  });
  // Before the first scrapes RecollectDown fires.
  const isQuiet = async () =>
    (await prometheus.query('up{job=~"recollect-.*"} == 1')) === 2 &&
    (await prometheus.query('ALERTS{priority="P0"}')) === 0;
  await untilTrue(isQuiet, 60_000, 'scrapes of both processes without an alert');
});
afterAll(async () => {
  await prometheus?.stop();
  await instance?.remove();
  await alertmanager?.stop();
});

const madeMs = new Map<AlertFault, number>();
const repairedMs = new Map<AlertFault, number>();
/** Returns the first message after a time about an alert that began after its fault. */
const arrived = (
  name: string,
  status: ReceivedAlert['status'],
  faultMs: number,
  afterMs = faultMs,
): ReceivedAlert | undefined =>
  alertmanager.received.find(
    (one) => one.name === name && one.status === status && one.startedMs >= faultMs && one.atMs >= afterMs,
  );

async function make(fault: AlertFault): Promise<void> {
  await fault.make();
  madeMs.set(fault, Date.now());
}

/** Awaits the message about each alert of a fault. */
async function fired(fault: AlertFault): Promise<void> {
  const since = madeMs.get(fault) ?? Number.NaN;
  for (const name of fault.alerts) {
    const limitMs = (P0.get(name) ?? Number.NaN) + ARRIVAL_MS;
    const message = await until(
      async () => {
        await fault.meet?.();
        return arrived(name, 'firing', since);
      },
      Math.max(0, since + limitMs - Date.now()),
      name,
    );
    expect(message.to).toBe('/page');
    expect(message.atMs - since).toBeLessThanOrEqual(limitMs);
  }
}

/** Repairs a fault and awaits that its rules see it: what Alertmanager sends about it follows. */
async function repair(fault: AlertFault): Promise<void> {
  await fault.repair();
  repairedMs.set(fault, Date.now());
  for (const name of fault.alerts)
    await untilTrue(
      async () => (await prometheus.query(`ALERTS{alertname="${name}",alertstate="firing"}`)) === 0,
      RESOLVED_MS,
      `${name} to end`,
    );
}

async function play(fault: AlertFault): Promise<void> {
  await make(fault);
  await fired(fault);
  await repair(fault);
}

test('every alert of priority P0 reaches its receiver on a real fault, and is resolved after the repair', async () => {
  onTestFailed(() => void say(instance.account()));
  const started = performance.now();
  const faults = alertFaults(instance);
  const all: readonly AlertFault[] = Object.values(faults);
  expect(all.flatMap(({ alerts }) => alerts).toSorted()).toEqual([...P0.keys()].toSorted());

  await play(faults.api);
  // These rules wait for longer: the other faults are played meanwhile.
  const lasting: readonly AlertFault[] = [faults.backups, faults.rows, faults.audit];
  for (const fault of lasting) await make(fault);
  await play(faults.database);
  await play(faults.capture);
  expect(arrived('RecollectErrorRate', 'firing', 0)).toBeUndefined();
  await play(faults.requests);
  for (const fault of lasting) await fired(fault);
  for (const fault of lasting) await repair(fault);

  say(
    `durations of the rules divided by ${DIVISOR}; seconds from the fault to the webhook, from the repair to the webhook`,
  );
  for (const fault of all)
    for (const name of fault.alerts) {
      const [made = 0, repaired = 0] = [madeMs.get(fault), repairedMs.get(fault)];
      const { atMs: resolved } = await until(
        async () => arrived(name, 'resolved', made, repaired),
        RESOLVED_MS,
        `${name} to be resolved`,
      );
      const firing = (arrived(name, 'firing', made)?.atMs ?? Number.NaN) - made;
      say(
        `${name}: for ${seconds(P0.get(name) ?? 0)} s, firing ${seconds(firing)} s, resolved ${seconds(resolved - repaired)} s`,
      );
    }
  say(`all of them in ${seconds(performance.now() - started)} s`);
}, 420_000);
