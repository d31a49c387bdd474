import { readFileSync } from 'node:fs';
import path from 'node:path';
import { spoolStatus } from '../../hook/spool/status.ts';
import type { FaultInstance } from '../faults/support/fault-instance.ts';
import type { SentEvent } from './live-session.ts';
import { storedRows } from '../faults/support/stored-rows.ts';

const DRAIN_TIMEOUT_MS = 120_000;
const SEARCHABLE_TIMEOUT_MS = 180_000;
const POLL_MS = 1_000;
/** Log of the clients that is shown for a lost event. */
const SHOWN_LOG_MS = 4_000;
const poll = () => new Promise((resolve) => setTimeout(resolve, POLL_MS));

export interface LossFigures {
  readonly events: number;
  readonly rows: number;
  /** Rows that sent events must have become, and that are not stored. */
  readonly lost: number;
  /** Stored rows that no sent event explains, repeated ones included. */
  readonly unexpected: number;
  /** Sessions whose rows are in another order than their events. */
  readonly out_of_order: number;
}

/** Returns how often each text occurs more in `of` than in `than`, in all. */
function surplus(of: readonly string[], than: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const text of than) counts.set(text, (counts.get(text) ?? 0) + 1);
  return of.filter((text) => {
    const left = counts.get(text) ?? 0;
    counts.set(text, left - 1);
    return left <= 0;
  }).length;
}

/** Returns what is lost, by the texts of the rows of each session in their order. */
export function lossOf(
  sessions: readonly { readonly wanted: readonly string[]; readonly stored: readonly string[] }[],
): Omit<LossFigures, 'events'> {
  const sum = (of: (session: (typeof sessions)[number]) => number) =>
    sessions.reduce((total, session) => total + of(session), 0);
  return {
    rows: sum(({ stored }) => stored.length),
    lost: sum(({ wanted, stored }) => surplus(wanted, stored)),
    unexpected: sum(({ wanted, stored }) => surplus(stored, wanted)),
    out_of_order: sum(({ wanted, stored }) =>
      surplus(wanted, stored) === 0 && surplus(stored, wanted) === 0 && wanted.some((text, n) => text !== stored[n])
        ? 1
        : 0,
    ),
  };
}

/** Returns the text of a row, by which rows are compared: the client chooses the keys. */
const textOf = ({ kind, content }: { readonly kind: string; readonly content: string }) => `${kind} ${content}`;

/**
 * Compares the events of all sessions with the stored rows until none is lost, for a bounded time: an event may be in the spool, or with a background process of
 * the client. Prints the events that are lost.
 */
export async function readLoss(
  instance: FaultInstance,
  sent: ReadonlyMap<string, readonly SentEvent[]>,
): Promise<LossFigures> {
  const read = async () => {
    const rows = Map.groupBy(await storedRows(instance, [...sent.keys()]), (row) => row.external_id);
    return [...sent].map(([externalId, events]) => ({
      events,
      wanted: events.flatMap(({ delivery }) => delivery.rows).map(textOf),
      stored: (rows.get(externalId) ?? []).map(textOf),
    }));
  };
  let sessions = await read();
  for (const deadline = performance.now() + DRAIN_TIMEOUT_MS; performance.now() < deadline; sessions = await read()) {
    if (lossOf(sessions).lost === 0 && spoolStatus(instance.dataDir, null).events === 0) break;
    await poll();
  }
  for (const { events, stored } of sessions)
    for (const { delivery, bytes, at, tookMs } of events)
      if (surplus(delivery.rows.map(textOf), stored) > 0)
        process.stderr.write(
          `not stored: ${delivery.path} ${delivery.deliveryId} of ${bytes} bytes, sent ${at.toISOString()}, ${Math.round(tookMs ?? 0)} ms\n${clientLog(instance.dataDir, at)}`,
        );
  return { events: sessions.reduce((sum, { events }) => sum + events.length, 0), ...lossOf(sessions) };
}

/** Returns what the hook clients logged shortly after a time; nothing of what they captured. */
function clientLog(dataDir: string, at: Date): string {
  return readFileSync(path.join(dataDir, 'logs', 'hook.log'), 'utf8')
    .split('\n')
    .filter((line) => {
      const since = Date.parse(/"at":"([^"]+)"/.exec(line)?.[1] ?? '') - at.getTime();
      return since >= 0 && since < SHOWN_LOG_MS;
    })
    .map((line) => `  ${line}\n`)
    .join('');
}

/** Counts of sessions that ended by an event, as the objective counts them (docs/slo.md). */
export interface SearchableFigures {
  readonly ended: number;
  readonly within_60_s: number;
  /** Longest time in seconds; null for one that has no vector for each chunk yet. */
  readonly longest_s: number | null;
}

/** Waits until every ended session has a vector for each chunk, for a bounded time, and returns how long that took since the capture of the end. */
export async function readSearchable(
  instance: FaultInstance,
  externalIds: readonly string[],
): Promise<SearchableFigures> {
  const read = async (): Promise<SearchableFigures & { readonly open: number }> => {
    const [row] = await instance.query<SearchableFigures & { readonly open: number }>(
      `SELECT count(*)::integer AS ended, count(*) FILTER (WHERE took <= 60)::integer AS within_60_s, count(*) FILTER (WHERE took IS NULL)::integer AS open,
              CASE WHEN bool_or(took IS NULL) THEN NULL ELSE round(max(took)::numeric, 1)::double precision END AS longest_s
         FROM (SELECT CASE WHEN s.searchable_at >= b.created_at THEN extract(epoch FROM s.searchable_at - b.created_at) END AS took
                 FROM sessions s JOIN boundaries b ON b.session_id = s.id AND b.seq = s.last_seq
                WHERE s.external_id = ANY ($1) AND b.kind = 'session_end' AND b.occurred_at > b.created_at - interval '10 minutes') AS ends`,
      [externalIds],
    );
    if (row === undefined) throw new Error('an aggregate has a row');
    return row;
  };
  let last = await read();
  for (const deadline = performance.now() + SEARCHABLE_TIMEOUT_MS; last.open > 0 && performance.now() < deadline;) {
    await poll();
    last = await read();
  }
  const { ended, within_60_s, longest_s } = last;
  return { ended, within_60_s, longest_s };
}
