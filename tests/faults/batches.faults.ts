import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { keyedByDelivery, toHostEvent } from '../../api/intake/check-event.ts';
import { eventSchema } from '../../contract/events.ts';
import { fileInstance } from '../setup/file-instance.ts';
import type { AcceptedDelivery } from './support/clients.ts';
import { rowsOf } from './support/deliveries.ts';
import { expectEnded, expectEveryVector, expectNoFailedWorkflow } from './support/outcome.ts';
import { expectStoredOnce } from './support/stored-rows.ts';
import { insideOf } from './support/test-instance-inside.ts';

const AT_ONCE = 3;
const SESSIONS = 3;
/** A complete session then takes more than one group of NDJSON. */
const TURNS = 25;
const SETTLE_TIMEOUT_MS = 240_000;

const instance = fileInstance({
  RECOLLECT_WINDOW_QUIET_MS: '2000',
  RECOLLECT_SESSION_IDLE_MS: '10000',
  RECOLLECT_HINT_DELAY_MS: '200',
});

beforeAll(async () => {
  await instance.startWorker();
});

type Event = Readonly<Record<string, unknown>> & { readonly session_id: string };

function toolCall(turn: number, useId: string | undefined): Readonly<Record<string, unknown>> {
  const tool = { name: 'Bash', input: { command: `make part-${turn}` }, response: { stdout: `part ${turn} is made` } };
  return { type: 'observation', tool: useId === undefined ? tool : { ...tool, use_id: useId } };
}

/** Returns complete sessions of short events, interleaved as a forwarder of many agents sends them. */
function completeSessions(name: string): Event[] {
  const turnEvents = (turn: number) => [
    { type: 'prompt', content: `Make part ${turn} of the order, please.` },
    toolCall(turn, undefined),
    { type: 'turn.ended' },
  ];
  const all = [
    { type: 'session.started' },
    ...Array.from({ length: TURNS }, (_, turn) => turnEvents(turn)).flat(),
    { type: 'session.ended' },
  ];
  return all.flatMap((event) =>
    Array.from({ length: SESSIONS }, (_, n) => ({ ...event, host: 'forwarder', session_id: `${name}-${n}` })),
  );
}

/** Returns tool calls that only their use id identifies. */
function toolCalls(name: string): Event[] {
  return Array.from({ length: TURNS * 3 }, (_, turn) =>
    Array.from({ length: SESSIONS }, (_, n) => ({
      ...toolCall(turn, `${name}-${n}-${turn}`),
      host: 'forwarder',
      session_id: `${name}-${n}`,
    })),
  ).flat();
}

const itemSchema = z.object({
  index: z.number(),
  status: z.enum(['accepted', 'duplicate']),
  id: z.string(),
});
type Item = z.output<typeof itemSchema>;
const arrayAnswer = z.object({ items: z.array(itemSchema) });

interface Form {
  readonly name: string;
  readonly send: (events: readonly Event[], headers: Readonly<Record<string, string>>) => Promise<Item[]>;
}

const FORMS = [
  {
    name: 'JSON array',
    send: async (events, headers) => {
      const answer = await instance.call('POST', '/events/batch', { body: events, headers });
      if (answer.status !== 202) throw new Error(`the batch returned ${answer.status}`);
      return arrayAnswer.parse(answer.body).items;
    },
  },
  {
    name: 'NDJSON',
    send: async (events, headers) => {
      const answer = await instance.call('POST', '/events/batch', {
        raw: events.map((event) => `${JSON.stringify(event)}\n`).join(''),
        headers: { ...headers, 'content-type': 'application/x-ndjson' },
      });
      if (answer.status !== 202) throw new Error(`the batch returned ${answer.status}`);
      const lines = z.string().parse(answer.body).trim().split('\n');
      return lines.slice(0, -1).map((line) => itemSchema.parse(JSON.parse(line)));
    },
  },
] as const satisfies readonly Form[];

/** Returns the form of the n-th sender if senders use both. */
function formOf(n: number): Form {
  return n % 2 === 0 ? FORMS[0] : FORMS[1];
}

interface Identity {
  readonly name: string;
  readonly events: (name: string) => Event[];
  readonly headers: (name: string) => Readonly<Record<string, string>>;
}

/** Every way by which the contract identifies an event that was sent again. */
const IDENTITIES: readonly Identity[] = [
  {
    name: 'keys',
    events: (name) => completeSessions(name).map((event, index) => ({ ...event, key: `${name}-${index}` })),
    headers: () => ({}),
  },
  {
    name: 'the id of the delivery',
    events: completeSessions,
    headers: (name) => ({ 'x-recollect-delivery': name }),
  },
  { name: 'tool use ids', events: toolCalls, headers: () => ({}) },
];

/** Asserts that the responses to all senders name one row per event, accepted for exactly one sender. */
function expectOneTruth(answers: readonly Item[][], events: number): void {
  for (const items of answers) expect(items.map(({ index }) => index)).toEqual([...Array(events).keys()]);
  for (let index = 0; index < events; index += 1) {
    const items = answers.map((answer) => answer[index]);
    expect(new Set(items.map((item) => item?.id)).size, `ids returned for event ${index}`).toBe(1);
    expect(
      items.filter((item) => item?.status === 'accepted').length,
      `senders for which event ${index} was accepted`,
    ).toBe(1);
  }
}

function acceptedBySession(
  events: readonly Event[],
  items: readonly Item[],
  delivery: string | null,
): Map<string, readonly AcceptedDelivery[]> {
  const accepted = new Map<string, AcceptedDelivery[]>();
  for (const [index, event] of events.entries()) {
    const rows = rowsOf(keyedByDelivery(toHostEvent(eventSchema.parse(event)), delivery, index));
    const entry = {
      delivery: { path: '/events/batch', deliveryId: `${index}`, body: event, rows },
      rowId: items[index]?.id ?? null,
    };
    accepted.set(event.session_id, [...(accepted.get(event.session_id) ?? []), entry]);
  }
  return accepted;
}

const CASES = IDENTITIES.flatMap((identity) => FORMS.map((form) => ({ identity, form })));

test.for(CASES)(
  'stores a batch as $form.name, sent three times at once and identified by $identity.name, once',
  async ({ identity, form }) => {
    const name = `${identity.name}-${form.name}`.replaceAll(' ', '-');
    const events = identity.events(name);
    const headers = identity.headers(name);
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => form.send(events, headers)));
    expect(answers).toHaveLength(AT_ONCE);
    expectOneTruth(answers, events.length);
    const accepted = acceptedBySession(events, answers[0] ?? [], headers['x-recollect-delivery'] ?? null);
    await expectStoredOnce(insideOf(instance), accepted);
  },
);

test('stores one event without a key, sent three times at once, once', async () => {
  const event = { type: 'prompt', content: 'Only this.', host: 'forwarder', session_id: 'single' };
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => formOf(n).send([event], {})));
  expectOneTruth(answers, 1);
  const stored = await insideOf(instance).query(
    "SELECT content FROM prompts WHERE session_id = (SELECT id FROM sessions WHERE external_id = 'single')",
  );
  expect(stored).toEqual([{ content: 'Only this.' }]);
});

test('stores a batch without identity as often as the responses state, and no more rows', async () => {
  const events = completeSessions('unknown').slice(0, SESSIONS * 4);
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => formOf(n).send(events, {})));
  const accepted = answers.flatMap((items) => items.filter(({ status }) => status === 'accepted'));
  const stored = await insideOf(instance).query<{ id: string }>(
    "SELECT row_id AS id FROM capture_keys JOIN sessions s ON s.id = session_id WHERE s.external_id LIKE 'unknown-%' ORDER BY 1",
  );
  expect(stored.map(({ id }) => id)).toEqual(accepted.map(({ id }) => id).sort());
});

test('all these sessions end with a summary and vectors', { timeout: 400_000 }, async () => {
  const inside = insideOf(instance);
  const sessions = await inside.query<{ external_id: string }>('SELECT external_id FROM sessions');
  expect(sessions).toHaveLength(CASES.length * SESSIONS + 1 + SESSIONS);
  const ended = await expectEnded(
    inside,
    sessions.map((session) => session.external_id),
    SETTLE_TIMEOUT_MS,
  );
  await expectEveryVector(inside);
  await expectNoFailedWorkflow(inside, ended);
});
