import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { trustAuthorities } from '../../config/engine-settings.ts';
import { processEnvironment } from '../../config/process-environment.ts';
import { randomFrom } from '../domain/support/random.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { ReplayClient } from './support/clients.ts';
import { startComposeProcesses } from './support/compose-processes.ts';
import type { ComposeProcesses, ProcessName } from './support/compose-processes.ts';
import { SHORT_TIMES } from './support/fault-instance.ts';
import { expectEnded, expectEveryVector, expectNoFailedWorkflow } from './support/outcome.ts';
import { clientScripts } from './support/recorded-sessions.ts';
import { expectStoredOnce } from './support/stored-rows.ts';
import { insideOf } from './support/test-instance-inside.ts';

const KILLS = 3;
const SHAPE = { clients: 8, sessionsEach: 1, events: 12 } as const;
const LONGEST_REST_MS = 200;
const SETTLE_TIMEOUT_MS = 600_000;
const seed = Number(processEnvironment()['FAULTS_SEED'] ?? randomInt(1, 1_000_000));
const say = (text: string) => process.stderr.write(`${text}\n`);
const seconds = (sinceMs: number) => Math.round((performance.now() - sinceMs) / 100) / 10;

const instance = fileInstance(SHORT_TIMES);
let processes: ComposeProcesses;

beforeAll(async () => {
  processes = await startComposeProcesses(instance);
  trustAuthorities({ authorities: [processes.certificate] });
  say(`seed ${seed}; ready after ${JSON.stringify(processes.readySeconds)} s`);
});
afterAll(() => processes.close());

test('health is 200 through the proxy by TLS, and plain requests are redirected', async () => {
  const health = await fetch(`${processes.url}/api/v1/health`);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ status: 'ok' });
  expect(health.headers.get('strict-transport-security')).toBe('max-age=31536000');
  const plain = await fetch(`${processes.plainUrl}/api/v1/health`, { redirect: 'manual' });
  expect([plain.status, plain.headers.get('location')]).toEqual([308, 'https://127.0.0.1/api/v1/health']);
});

test.each<ProcessName>(['api-1', 'api-2', 'worker-1', 'worker-2'])(
  `${KILLS} kills of %s under load lose nothing, and no request is refused`,
  async (name) => {
    const random = randomFrom(seed + name.length * 7_919 + Number(name.at(-1)));
    const started = performance.now();
    const clients = clientScripts(`${seed}-${name}`, SHAPE, random).map(
      (scripts) => new ReplayClient(scripts, randomFrom(Math.floor(random() * 2 ** 32))),
    );
    const credentials = { url: processes.url, apiKey: instance.admin.key };
    for (let round = 0; round < KILLS; round += 1) {
      const shares = clients.map((client) => client.sizeOf(round, KILLS));
      const killAt = Math.floor(random() * shares.reduce((sum, share) => sum + share, 0));
      const moment = Promise.withResolvers<void>();
      let count = 0;
      const onAccepted = () => {
        count += 1;
        if (count === killAt + 1) moment.resolve(processes.restart(name));
      };
      await Promise.all(
        clients.map((client, index) => client.send(credentials, shares[index] ?? 0, LONGEST_REST_MS, onAccepted)),
      );
      await moment.promise;
    }
    const sum = (part: 'unanswered' | 'unavailable' | 'answeredBefore') =>
      clients.reduce((total, client) => total + client.trouble[part], 0);
    const accepted = new Map(clients.flatMap((client) => [...client.accepted]));
    expect(accepted.size).toBe(SHAPE.clients * SHAPE.sessionsEach);
    const inside = insideOf(instance);
    const { rows } = await expectStoredOnce(inside, accepted);
    const sessions = await expectEnded(inside, [...accepted.keys()], SETTLE_TIMEOUT_MS);
    await expectStoredOnce(inside, accepted);
    const { vectors } = await expectEveryVector(inside);
    await expectNoFailedWorkflow(inside, sessions);
    say(
      `${name}: ${rows} rows of ${accepted.size} sessions, ${sum('unanswered')} requests without a response, ${sum('unavailable')} with 503, ` +
        `${sum('answeredBefore')} answered as duplicates; ${vectors} vectors; ${seconds(started)} s`,
    );
    // The proxy sends a request of a killed process to the other one: clients need no retry.
    expect({ unanswered: sum('unanswered'), unavailable: sum('unavailable') }).toEqual({
      unanswered: 0,
      unavailable: 0,
    });
  },
);
