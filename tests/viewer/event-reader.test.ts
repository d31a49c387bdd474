import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { EventReader } from '../../viewer/link/event-reader.ts';
import type { LinkState } from '../../viewer/link/event-reader.ts';
import { untilTrue } from '../setup/until.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Starts a server that gives one answer after the other; the last one repeats. */
async function serve(answers: readonly Answer[]) {
  const resumed: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const last = request.headers['last-event-id'];
    resumed.push(typeof last === 'string' ? last : undefined);
    answers[Math.min(resumed.length, answers.length) - 1]?.(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${address.port}/stream`, resumed };
}

function read(url: string) {
  const ids: string[] = [];
  const states: LinkState[] = [];
  const reader = new EventReader({
    url,
    retryMs: 10,
    // Longer than a busy machine delays what a server sends.
    silenceMs: 4_000,
    onEvent: ({ id, type }) => void (type === 'beat' || ids.push(id)),
    onState: (state) => void (states.at(-1) === state || states.push(state)),
  });
  ends.push(() => reader.stop());
  reader.start();
  return { ids, states, reader };
}

const frame = (id: number, type = 'session.updated') =>
  `id: ${id}\nevent: ${type}\ndata: {"id":"${id}","type":"${type}"}\n\n`;
const stream: Answer = (_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' });
const sends =
  (texts: readonly string[], end: 'end' | 'destroy' | 'silence'): Answer =>
  (request, response) => {
    stream(request, response);
    for (const text of texts) response.write(text);
    if (end === 'end') response.end();
    // After the texts: a reset drops what waits in the socket.
    if (end === 'destroy') response.write('', () => setImmediate(() => response.socket?.end()));
  };

test('continues after the last event when a stream ends, breaks within an event or is silent', async () => {
  const { url, resumed } = await serve([
    sends([frame(1), frame(2)], 'end'),
    sends([frame(3), frame(4).slice(0, 20)], 'destroy'),
    sends([frame(4), frame(5, 'beat')], 'silence'),
    sends([frame(6)], 'silence'),
  ]);
  const { ids, states } = read(url);
  await untilTrue(async () => ids.length === 5);
  expect(ids).toEqual(['1', '2', '3', '4', '6']);
  expect(resumed.slice(0, 4)).toEqual([undefined, '2', '3', '5']);
  expect(states).not.toContain('lost');
});

test('shows a loss after the second failed attempt, and continues when the server is back', async () => {
  const busy: Answer = (_, response) => void response.writeHead(503).end();
  const { url, resumed } = await serve([sends([frame(1)], 'end'), busy, busy, sends([frame(2)], 'silence')]);
  const { ids, states } = read(url);
  await untilTrue(async () => ids.length === 2);
  expect(states).toEqual(['connecting', 'open', 'lost', 'open']);
  expect(resumed.slice(0, 4)).toEqual([undefined, '1', '1', '1']);
});

test('ends for a caller who is refused or may not read it, and is silent while it is paused', async () => {
  const refused = await serve([(_, response) => void response.writeHead(401).end()]);
  const { states } = read(refused.url);
  await untilTrue(async () => states.at(-1) === 'refused');
  expect(refused.resumed).toHaveLength(1);
  const forbidden = await serve([(_, response) => void response.writeHead(403).end()]);
  const other = read(forbidden.url);
  await untilTrue(async () => other.states.at(-1) === 'paused');
  expect(other.states).toEqual(['connecting', 'paused']);

  const { url, resumed } = await serve([sends([frame(1)], 'silence')]);
  const paused = read(url);
  await untilTrue(async () => paused.ids.length === 1);
  paused.reader.stop();
  paused.reader.start();
  await untilTrue(async () => resumed.length === 2);
  expect(resumed[1]).toBe('1');
  expect(paused.states).toContain('paused');
});
