import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Separates the key of an event from the position of its second and later rows. */
const PART = '\u001f';
/** Number of the newest sessions that are searched for a key without a session. An index by key would slow down every capture. */
export const SEARCHED_SESSIONS = 5_000;
/** Maximum number of returned events. */
export const MAX_MATCHES = 10;

export interface CapturedRow {
  readonly id: string;
  readonly kind: 'prompt' | 'observation' | 'boundary';
  readonly seq: number;
}

/** One event as it was stored: a key, and the rows that it became. */
export interface CapturedEvent {
  readonly sessionId: string;
  readonly key: string;
  readonly source: string;
  readonly rows: readonly CapturedRow[];
}

export interface EventQuery {
  /** A key as stored, a tool use id, a delivery id, or the id of a row. */
  readonly given: string;
  /** Null: the newest sessions. */
  readonly sessionId: string | null;
  /** The sessions' user; undefined: an admin, who sees all of the tenant. */
  readonly viewerId: string | undefined;
}

const placeRow = rowOf({ session_id: z.string(), key: z.string() });
const keyRow = z.object({
  key: z.string(),
  id: z.string(),
  kind: z.enum(['prompt', 'observation', 'boundary']),
  seq: z.number(),
  source: z.string(),
});

type Place = z.output<typeof placeRow>;

function baseOf(key: string): string {
  return key.split(PART)[0] ?? key;
}

/** Returns the stored keys that a given name can match. */
function keysOf(given: string): string[] {
  return [given, `tool:${given}`, `delivery:${given}:0`, `delivery:${given}`];
}

async function placesByKey(transaction: TenantTransaction, query: EventQuery): Promise<Place[]> {
  const rows = await transaction.$queryRaw`
    WITH recent AS MATERIALIZED (
      SELECT s.id FROM sessions s
       WHERE s.tenant_id = (SELECT current_tenant_id()) AND s.status <> 'deleted' AND (${query.viewerId ?? null}::uuid IS NULL OR s.user_id = ${query.viewerId ?? null}::uuid)
         AND (${query.sessionId}::uuid IS NULL OR s.id = ${query.sessionId}::uuid)
       ORDER BY s.id DESC LIMIT ${SEARCHED_SESSIONS})
    SELECT k.session_id, k.key FROM recent
     CROSS JOIN LATERAL (SELECT session_id, key FROM capture_keys WHERE session_id = recent.id AND key = ANY (${keysOf(query.given)}) OFFSET 0) AS k
     ORDER BY k.session_id DESC LIMIT ${MAX_MATCHES}`;
  return z.array(placeRow).parse(rows);
}

async function placesByRow(transaction: TenantTransaction, query: EventQuery): Promise<Place[]> {
  const id = query.given.toLowerCase();
  const rows = await transaction.$queryRaw`
    SELECT k.session_id, k.key
      FROM (SELECT session_id, seq FROM prompts WHERE id = ${id}::uuid
            UNION ALL SELECT session_id, seq FROM observations WHERE id = ${id}::uuid
            UNION ALL SELECT session_id, seq FROM boundaries WHERE session_id = ${query.sessionId}::uuid AND id = ${id}::uuid) AS found
      JOIN sessions s ON s.id = found.session_id AND s.status <> 'deleted'
       AND (${query.viewerId ?? null}::uuid IS NULL OR s.user_id = ${query.viewerId ?? null}::uuid)
       AND (${query.sessionId}::uuid IS NULL OR s.id = ${query.sessionId}::uuid)
      JOIN capture_keys k ON k.session_id = found.session_id AND k.seq = found.seq`;
  return z.array(placeRow).parse(rows);
}

/** Returns the rows of an event in order; null if there are none. */
export async function readCapturedEvent(
  transaction: TenantTransaction,
  sessionId: string,
  key: string,
): Promise<CapturedEvent | null> {
  const rows = z.array(keyRow).parse(
    await transaction.$queryRaw`
      SELECT key, row_id AS id, kind, seq, source FROM capture_keys
       WHERE session_id = ${sessionId}::uuid AND (key = ${key} OR (key > ${key + PART} AND key < ${`${key} `})) ORDER BY seq`,
  );
  const parts = rows.filter((row) => baseOf(row.key) === key);
  const [first] = parts;
  if (first === undefined) return null;
  return { sessionId, key, source: first.source, rows: parts.map(({ id, kind, seq }) => ({ id, kind, seq })) };
}

/** Finds events by name, newest sessions first, at most `MAX_MATCHES`; without a session in the keys of the newest `SEARCHED_SESSIONS`. */
export async function findCapturedEvents(transaction: TenantTransaction, query: EventQuery): Promise<CapturedEvent[]> {
  const places = [
    ...(UUID.test(query.given) ? await placesByRow(transaction, query) : []),
    ...(await placesByKey(transaction, query)),
  ];
  const wanted = new Map(places.map((place) => [`${place.sessionId} ${baseOf(place.key)}`, place]));
  const events: CapturedEvent[] = [];
  for (const place of [...wanted.values()].slice(0, MAX_MATCHES)) {
    const event = await readCapturedEvent(transaction, place.sessionId, baseOf(place.key));
    if (event !== null) events.push(event);
  }
  return events;
}
