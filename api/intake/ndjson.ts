import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import type { HostEvent } from '../../domain/capture/event.ts';
import { EVENT_BYTES } from '../body.ts';
import { toApiError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { keyedByDelivery } from './delivery.ts';
import { checkEvent, itemOf } from './check-event.ts';
import type { CaptureItem, CheckedEvent } from './check-event.ts';
import type { CommitResult } from './group-commit.ts';

/** Events that are stored together: bounds memory, and how long the first of them waits for its answer. */
const GROUP_EVENTS = 200;
const GROUP_BYTES = 4 * 1024 * 1024;
const LINE_FEED = 0x0a;

/** Splits a stream into lines in bounded memory: a line over the limit comes as null, its rest unread into memory. */
async function* splitLines(body: Readable): AsyncGenerator<Buffer | null> {
  let parts: Buffer[] = [];
  let size = 0;
  const take = (): Buffer | null => {
    const line = size > EVENT_BYTES ? null : Buffer.concat(parts);
    parts = [];
    size = 0;
    return line;
  };
  const add = (piece: Buffer): void => {
    size += piece.length;
    if (size > EVENT_BYTES) parts = [];
    else parts.push(piece);
  };
  for await (const chunk of body) {
    let rest: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    for (let end = rest.indexOf(LINE_FEED); end >= 0; end = rest.indexOf(LINE_FEED)) {
      add(rest.subarray(0, end));
      yield take();
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) add(rest);
  }
  if (size > 0) yield take();
}

function refused(code: ErrorCode, message: string): CheckedEvent {
  return { code, message, details: [] };
}

function checkLine(bytes: Buffer | null): CheckedEvent {
  if (bytes === null) return refused('EVENT_TOO_LARGE', `an event holds at most ${EVENT_BYTES} bytes`);
  if (!isUtf8(bytes)) return refused('INVALID_UTF8', 'the line is not valid UTF-8');
  try {
    return checkEvent(JSON.parse(bytes.toString('utf8')), bytes.length);
  } catch {
    return refused('INVALID_JSON', 'the line is not valid JSON');
  }
}

/**
 * Stores NDJSON as it arrives, group by group, and yields one answer line an event after its commit, last the counts. Reading waits for
 * storing, so that a fast sender is slowed down instead of filling memory. When storage goes away in the middle, the events not stored
 * are answered as rejected with `UNAVAILABLE`: the sender knows exactly which to send again.
 */
export async function* captureLines(
  body: Readable,
  delivery: string | null,
  capture: (events: readonly HostEvent[]) => Promise<CommitResult[]>,
): AsyncGenerator<string> {
  const counts = { accepted: 0, duplicates: 0, rejected: 0 };
  let group: { readonly index: number; readonly checked: CheckedEvent }[] = [];
  let bytes = 0;
  let index = 0;

  const store = async (): Promise<string> => {
    const good = group.flatMap(({ index, checked }): HostEvent[] =>
      'event' in checked ? [keyedByDelivery(checked.event, delivery, index)] : [],
    );
    let results: readonly CommitResult[] = [];
    let failure: { readonly code: string; readonly message: string } | null = null;
    try {
      results = await capture(good);
    } catch (error) {
      failure = toApiError(error);
    }
    let next = 0;
    const items = group.map(({ index, checked }): CaptureItem => {
      if (!('event' in checked))
        return { index, status: 'rejected', id: null, code: checked.code, message: checked.message };
      if (failure !== null)
        return { index, status: 'rejected', id: null, code: failure.code, message: failure.message };
      next += 1;
      return itemOf(index, results[next - 1]);
    });
    for (const item of items) counts[item.status === 'duplicate' ? 'duplicates' : item.status] += 1;
    group = [];
    bytes = 0;
    return items.map((item) => `${JSON.stringify(item)}\n`).join('');
  };

  for await (const line of splitLines(body)) {
    if (line !== null && line.toString('latin1').trim() === '') continue;
    group.push({ index, checked: checkLine(line) });
    index += 1;
    bytes += line?.length ?? 0;
    if (group.length >= GROUP_EVENTS || bytes >= GROUP_BYTES) yield await store();
  }
  if (group.length > 0) yield await store();
  yield `${JSON.stringify(counts)}\n`;
}
