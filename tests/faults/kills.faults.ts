import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest';
import { processEnvironment } from '../../config/process-environment.ts';
import { randomFrom } from '../domain/support/random.ts';
import { ReplayClient } from './support/clients.ts';
import { SERVICES, startFaultInstance } from './support/fault-instance.ts';
import type { FaultInstance, ServiceName } from './support/fault-instance.ts';
import { expectEnded, expectEveryVector, expectNoFailedWorkflow } from './support/outcome.ts';
import { clientScripts, hasSharedSessions } from './support/recorded-sessions.ts';
import { expectStoredOnce } from './support/stored-rows.ts';

const KILLS = 5;
const SHAPE = { clients: 16, sessionsEach: 2, events: 10 } as const;
/** A round of some events per client takes about a second, so that a kill interrupts work of every kind. */
const LONGEST_REST_MS = 200;
const SETTLE_TIMEOUT_MS = 600_000;

// Each run has a new seed; FAULTS_SEED repeats one.
const seed = Number(processEnvironment()['FAULTS_SEED'] ?? randomInt(1, 1_000_000));
const say = (text: string) => process.stderr.write(`${text}\n`);
const seconds = (sinceMs: number) => Math.round((performance.now() - sinceMs) / 100) / 10;

let instance: FaultInstance;

beforeAll(async () => {
  say(`seed ${seed}, sessions ${hasSharedSessions() ? 'of developers' : 'of the demo (skipped: no shared data)'}`);
  instance = await startFaultInstance();
});
afterAll(() => instance.remove());

const TARGETS: readonly (readonly [string, readonly ServiceName[]])[] = [
  ...SERVICES.map((service) => [service, [service]] as const),
  ['all of them together', SERVICES],
];

test.each(TARGETS)(`${KILLS} kills of %s under load lose nothing`, async (name, services) => {
  const random = randomFrom(seed + TARGETS.findIndex(([target]) => target === name) * 7_919);
  const started = performance.now();
  onTestFailed(() => void say(instance.account()));
  const clients = clientScripts(`${seed}-${services.join('-')}`, SHAPE, random).map(
    (scripts) => new ReplayClient(scripts, randomFrom(Math.floor(random() * 2 ** 32))),
  );
  const recoveries: number[] = [];
  for (let round = 0; round < KILLS; round += 1) {
    const shares = clients.map((client) => client.sizeOf(round, KILLS));
    const killAt = Math.floor(random() * shares.reduce((sum, share) => sum + share, 0));
    const moment = Promise.withResolvers<ReturnType<FaultInstance['kill']>>();
    let count = 0;
    const onAccepted = () => {
      count += 1;
      if (count === killAt + 1) moment.resolve(instance.kill(services));
    };
    await Promise.all(
      clients.map((client, index) =>
        client.send(instance.credentials, shares[index] ?? 0, LONGEST_REST_MS, onAccepted),
      ),
    );
    const waited = performance.now();
    await instance.recovered(await moment.promise);
    recoveries.push(seconds(waited));
  }
  const sum = (part: 'unanswered' | 'unavailable' | 'answeredBefore') =>
    clients.reduce((total, client) => total + client.trouble[part], 0);
  say(
    `${name}: replayed in ${seconds(started)} s; ${sum('unanswered')} requests without a response, ${sum('unavailable')} deferred with 503, ` +
      `${sum('answeredBefore')} responses lost after the commit; recovered after ${recoveries.join(', ')} s`,
  );

  const accepted = new Map(clients.flatMap((client) => [...client.accepted]));
  expect(accepted.size).toBe(SHAPE.clients * SHAPE.sessionsEach);
  const { rows } = await expectStoredOnce(instance, accepted);
  const settling = performance.now();
  const sessions = await expectEnded(instance, [...accepted.keys()], SETTLE_TIMEOUT_MS);
  const settled = seconds(settling);
  // Once more: the end of the sessions must not have changed them.
  await expectStoredOnce(instance, accepted);
  const { vectors } = await expectEveryVector(instance);
  await expectNoFailedWorkflow(instance, sessions);

  say(
    `${name}: ${rows} rows of ${accepted.size} sessions, ended ${settled} s after the last event, ${vectors} vectors in all; ${seconds(started)} s`,
  );
});
