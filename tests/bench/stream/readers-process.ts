import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { z } from 'zod';

// Many readers of the event stream in one process. Prints a line when all are connected; after a line on stdin, what they received.

const { port, key, count } = z
  .object({ port: z.number(), key: z.string(), count: z.number() })
  .parse(JSON.parse(process.argv[2] ?? ''));

interface Reader {
  readonly answer: IncomingMessage;
  last: number;
  isInOrder: boolean;
  /** Captured observations, as the counters of the events sum up. */
  observations: number;
  readonly ids: ReturnType<typeof createHash>;
}

function take(reader: Reader, frame: string): void {
  const id = Number(/^id: (\d+)$/m.exec(frame)?.[1]);
  const observations = /"observations":(\d+)/.exec(frame)?.[1];
  if (observations === undefined) return;
  if (!(id > reader.last)) reader.isInOrder = false;
  reader.last = id;
  reader.observations += Number(observations);
  reader.ids.update(`${id} `);
}

async function open(): Promise<Reader> {
  const path = '/api/v1/stream/events?type=observation.added';
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    headers: { authorization: `Bearer ${key}` },
    agent: false,
  }).end();
  const [answer] = z.tuple([z.custom<IncomingMessage>()]).parse(await once(sent, 'response'));
  if (answer.statusCode !== 200) throw new Error(`the stream was answered with ${String(answer.statusCode)}`);
  const reader: Reader = { answer, last: 0, isInOrder: true, observations: 0, ids: createHash('sha256') };
  let text = '';
  answer.setEncoding('utf8').on('data', (part: string) => {
    const frames = `${text}${part}`.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) take(reader, frame);
  });
  return reader;
}

const readers: Reader[] = [];
while (readers.length < count)
  readers.push(...(await Promise.all(Array.from({ length: Math.min(50, count - readers.length) }, open))));
process.stdout.write('connected\n');
const commands = createInterface({ input: process.stdin });
await once(commands, 'line');
const seen = readers.map(({ observations, isInOrder, ids }) => ({ observations, isInOrder, ids: ids.digest('hex') }));
process.stdout.write(
  `${JSON.stringify({
    readers: readers.length,
    in_order: seen.every(({ isInOrder }) => isInOrder),
    /** Distinct sequences of ids: one, if all received the same. */
    sequences: new Set(seen.map(({ ids }) => ids)).size,
    least: Math.min(...seen.map(({ observations }) => observations)),
    most: Math.max(...seen.map(({ observations }) => observations)),
  })}\n`,
);
for (const { answer } of readers) answer.destroy();
commands.close();
