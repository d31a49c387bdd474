import type { Readable } from 'node:stream';
import type { HostEvent } from '../../domain/capture/event.ts';
import { EVENT_BYTES } from '../http/body.ts';
import { toApiError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { parseJson } from '../http/json.ts';
import { Breather } from './breather.ts';
import { keyedByDelivery, checkEvent, itemOf } from './check-event.ts';
import type { CaptureItem, CheckedEvent } from './check-event.ts';
import type { CommitResult } from '../../stores/postgres/capture/isolate-faulty.ts';

const LINE_FEED = 0x0a;

/** Splits bytes into lines in bounded memory: a line over the limit comes as null, its rest unread into memory. */
class LineSplitter {
  private parts: Buffer[] = [];
  private size = 0;

  /** The lines that end in this chunk. */
  *push(chunk: Buffer): Generator<Buffer | null> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      this.add(chunk.subarray(start, end));
      yield this.take();
      start = end + 1;
    }
    if (start < chunk.length) this.add(chunk.subarray(start));
  }

  /** Returns the bytes after the last line feed; undefined if none. */
  rest(): Buffer | null | undefined {
    return this.size === 0 ? undefined : this.take();
  }

  private add(piece: Buffer): void {
    this.size += piece.length;
    if (this.size > EVENT_BYTES) this.parts = [];
    else this.parts.push(piece);
  }

  private take(): Buffer | null {
    const [only = Buffer.alloc(0)] = this.parts;
    const line = this.size > EVENT_BYTES ? null : this.parts.length > 1 ? Buffer.concat(this.parts) : only;
    this.parts = [];
    this.size = 0;
    return line;
  }
}

/** Events that are stored together: bounds memory. */
const GROUP_EVENTS = 500;
const GROUP_BYTES = 4 * 1024 * 1024;
/** Pause of the sender after which waiting events are stored, in ms: a slow sender receives its responses. */
const IDLE_MS = 250;

function refused(code: ErrorCode, message: string): CheckedEvent {
  return { code, message, details: [] };
}

function checkLine(bytes: Buffer | null): CheckedEvent {
  if (bytes === null) return refused('EVENT_TOO_LARGE', `an event must not exceed ${EVENT_BYTES} bytes`);
  try {
    return checkEvent(parseJson(bytes), bytes.length);
  } catch (error) {
    const { code, message } = toApiError(error);
    return refused(code, message);
  }
}

/** White space of JSON. */
function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

interface Line {
  readonly index: number;
  readonly checked: CheckedEvent;
}

type Capture = (events: readonly HostEvent[]) => Promise<CommitResult[]>;

/** Stores a group and returns one item per line. Never rejects: each item states whether its event was stored. */
async function storeGroup(group: readonly Line[], delivery: string | null, capture: Capture): Promise<CaptureItem[]> {
  const good = group.flatMap(({ index, checked }): HostEvent[] =>
    'event' in checked ? [keyedByDelivery(checked.event, delivery, index)] : [],
  );
  let results: readonly CommitResult[];
  try {
    results = await capture(good);
  } catch (error) {
    const { code, message } = toApiError(error);
    return group.map(({ index, checked }) =>
      'event' in checked
        ? { index, status: 'rejected', id: null, code, message }
        : { index, status: 'rejected', id: null, code: checked.code, message: checked.message },
    );
  }
  let next = 0;
  return group.map(({ index, checked }) => {
    if (!('event' in checked))
      return { index, status: 'rejected', id: null, code: checked.code, message: checked.message };
    next += 1;
    return itemOf(index, results[next - 1]);
  });
}

function textOf(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** The lines of one request: some that wait, and at most one group that is being stored. */
class LineGroups {
  private readonly delivery: string | null;
  private readonly capture: Capture;
  private readonly maxLines: number;
  private waiting: Line[] = [];
  private bytes = 0;
  private lines = 0;
  /** Lines after the last one that may be stored. */
  private surplus = 0;
  private storing: Promise<CaptureItem[]> | null = null;
  readonly counts = { accepted: 0, duplicates: 0, rejected: 0 };

  constructor(delivery: string | null, capture: Capture, maxLines: number) {
    this.delivery = delivery;
    this.capture = capture;
    this.maxLines = maxLines;
  }

  add(line: Buffer | null): void {
    if (line !== null && isBlank(line)) return;
    if (this.lines === this.maxLines) {
      this.surplus += 1;
      return;
    }
    this.waiting.push({ index: this.lines, checked: checkLine(line) });
    this.lines += 1;
    this.bytes += line?.length ?? 0;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  get isFull(): boolean {
    return this.waiting.length >= GROUP_EVENTS || this.bytes >= GROUP_BYTES;
  }

  /** Result of the group that is being stored; null if there is none. */
  get inFlight(): Promise<CaptureItem[]> | null {
    return this.storing;
  }

  /** Begins to store what waits. Only when nothing is in flight. */
  begin(): void {
    this.storing = storeGroup(this.waiting, this.delivery, this.capture);
    this.waiting = [];
    this.bytes = 0;
  }

  /** The answer lines of the group in flight, once it is stored. */
  async answer(): Promise<string> {
    const items = (await this.storing) ?? [];
    this.storing = null;
    for (const item of items) this.counts[item.status === 'duplicate' ? 'duplicates' : item.status] += 1;
    return textOf(items);
  }

  /** The last answer lines: one for all lines that were not stored, since there were too many, and the counts. */
  end(): string {
    if (this.surplus === 0) return textOf([this.counts]);
    this.counts.rejected += this.surplus;
    const message = `a request through a proxy has at most ${this.maxLines} lines: this one and all later ones were not stored; send them in another request`;
    const item: CaptureItem = { index: this.lines, status: 'rejected', id: null, code: 'BODY_TOO_LARGE', message };
    return textOf([item, this.counts]);
  }
}

type Happening = IteratorResult<unknown, unknown> | 'idle' | 'stored';

/** Whatever comes first: more of the body, the end of the group in flight, or, while lines wait and none is in flight, a pause. */
async function nextOf(reading: Promise<IteratorResult<unknown, unknown>>, groups: LineGroups): Promise<Happening> {
  const { promise: paused, resolve } = Promise.withResolvers<Happening>();
  const stored: Promise<Happening> = groups.inFlight?.then(() => 'stored' as const) ?? paused;
  const timer = groups.inFlight === null && !groups.isEmpty ? setTimeout(() => resolve('idle'), IDLE_MS) : undefined;
  try {
    return await Promise.race<Happening>([reading, stored, paused]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Stores NDJSON as it arrives, group by group, and yields one answer line an event after its commit, last the counts. While one group is
 * stored the next one is read, and no more than that: a fast sender is slowed down instead of filling memory, and so is one that does not
 * read its answers, because nothing is read until they are consumed. Waiting events are stored when the sender pauses. If storage becomes
 * unavailable, events not stored are answered as rejected with `STORAGE_UNAVAILABLE`: the sender knows exactly which to send again. Lines after
 * `maxLines` are read and not stored; they have one answer line together.
 */
export async function* captureLines(
  body: Readable,
  delivery: string | null,
  capture: Capture,
  maxLines = Infinity,
): AsyncGenerator<string> {
  const splitter = new LineSplitter();
  const groups = new LineGroups(delivery, capture, maxLines);
  const breather = new Breather();
  const chunks: AsyncIterator<unknown, unknown> = body[Symbol.asyncIterator]();
  let ended = false;
  try {
    let reading = chunks.next();
    while (!ended) {
      const next = await nextOf(reading, groups);
      if (next === 'stored') yield await groups.answer();
      else if (next === 'idle') groups.begin();
      else if (next.done === true) ended = true;
      else {
        const chunk = next.value;
        for (const line of splitter.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)))) {
          groups.add(line);
          await breather.breathe();
          if (!groups.isFull) continue;
          if (groups.inFlight !== null) yield await groups.answer();
          groups.begin();
        }
        reading = chunks.next();
      }
    }
    const last = splitter.rest();
    if (last !== undefined) groups.add(last);
    if (groups.inFlight !== null) yield await groups.answer();
    if (!groups.isEmpty) {
      groups.begin();
      yield await groups.answer();
    }
    yield groups.end();
  } finally {
    // The client no longer reads responses: discard the rest of the body.
    if (!ended) body.destroy();
  }
}
