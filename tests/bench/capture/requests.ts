import type { LoadSpec } from './load.ts';

/** Placeholder of digits that are replaced before a request is repeated, so that each event is unique. */
const COUNTER = '@'.repeat(12);
const EVENT_BYTES = 1_024;

const OUTPUT = [
  'src/ledger/rounding.ts(41,7): error TS2322: Type number is not assignable to type Money.',
  ' ✓ tests/ledger/rounding.test.ts (14 tests) 212 ms',
  'warning: the lock file was made by an older version; it will be written again',
  'PASS  assigns the odd cent when a total is split in three',
].join('\n');

/** One event of the neutral contract, of about 1 KB as JSON; its key and its text contain the counter. */
export function benchEvent(session: string, counter: string = COUNTER): object {
  const event = (output: string) => ({
    type: 'observation',
    host: 'bench',
    session_id: session,
    project: { path: '/src/ledger' },
    key: `bench-${counter}`,
    tool: {
      name: 'Bash',
      input: { command: `npm test -- --run ${counter}`, description: 'Run the tests of the ledger' },
      response: { stdout: output, stderr: '', interrupted: false },
      duration_ms: 212,
    },
  });
  const left = EVENT_BYTES - Buffer.byteLength(JSON.stringify(event('')));
  return event(OUTPUT.repeat(Math.ceil(left / OUTPUT.length)).slice(0, left - 40));
}

/** A request whose counters are set in place, so that nothing is built during the measurement. */
export interface PreparedRequest {
  readonly bytes: Buffer;
  /** Offsets of each counter, by event. */
  readonly counters: readonly (readonly number[])[];
}

/** Returns the offsets of the counters, `perEvent` consecutive ones per event. */
function findCounters(bytes: Buffer, perEvent: number): number[][] {
  const found: number[] = [];
  for (let at = bytes.indexOf(COUNTER); at >= 0; at = bytes.indexOf(COUNTER, at + COUNTER.length)) found.push(at);
  return Array.from({ length: found.length / perEvent }, (_, event) =>
    found.slice(event * perEvent, (event + 1) * perEvent),
  );
}

/** One event as JSON, several as an array or as lines. */
export function prepareRequest(
  { path, key, form }: Pick<LoadSpec, 'path' | 'key' | 'form'>,
  events: readonly object[],
): PreparedRequest {
  const texts = events.map((event) => JSON.stringify(event));
  const json = Buffer.from(form === 'array' ? `[${texts.join(',')}]` : texts.join('\n'));
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    `authorization: Bearer ${key}`,
    `content-type: application/${form === 'lines' ? 'x-ndjson' : 'json'}`,
    `content-length: ${json.length}`,
  ].join('\r\n');
  const bytes = Buffer.concat([Buffer.from(`${head}\r\n\r\n`), json]);
  return { bytes, counters: findCounters(bytes, 2) };
}

/** Assigns the next number to every event of the request. */
export function renumber(request: PreparedRequest, first: number): void {
  request.counters.forEach((places, event) => {
    const digits = String(first + event).padStart(COUNTER.length, '0');
    for (const place of places) request.bytes.write(digits, place, 'latin1');
  });
}
