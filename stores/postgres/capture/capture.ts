import { z } from 'zod';
import { REJECT_REASONS } from '../../../domain/capture/event.ts';
import type { CaptureEvent, CaptureOutcome, CaptureRow } from '../../../domain/capture/event.ts';
import { NAME_SEPARATOR } from '../../../domain/capture/well-formed.ts';
import { asId } from '../../../domain/ids.ts';

interface EncodedRow {
  readonly kind: CaptureRow['kind'];
  readonly id: string;
  /** Place among the event's boundaries, from 1; 0 for another row. */
  readonly boundaryPart: number;
  /** Its columns as JSON, without the opening brace. */
  readonly columns: string;
}

/**
 * An event as text for `capture_events` (prisma/sql/functions/capture_events.sql), without its position in the batch. Encoded when the event arrives,
 * while an earlier batch is running: assembling a batch only joins strings.
 */
export interface EncodedEvent {
  readonly key: string | null;
  /** Equal for two events only if they are of one session. */
  readonly session: string;
  /** Columns of a new session as JSON, without the opening brace. */
  readonly opening: string;
  /** Its project as JSON, without the opening brace. */
  readonly project: string | null;
  /** Its entry in `events` as JSON, without the opening brace. */
  readonly fields: string;
  readonly rows: readonly EncodedRow[];
  /** Approximate length of its text in a batch. */
  readonly chars: number;
  /** Mark of the span that captures it (`markText`); absent unless it is traced. */
  readonly mark?: string;
}

function encodeRows(event: CaptureEvent): { rows: EncodedRow[]; userPrompt: string | undefined } {
  let boundaries = 0;
  let userPrompt: string | undefined;
  const rows = event.rows.map((row, index) => {
    if (row.kind === 'boundary') boundaries += 1;
    const boundaryPart = row.kind === 'boundary' ? boundaries : 0;
    if (row.kind === 'prompt' && row.type === 'user') userPrompt = row.id;
    const prompt = userPrompt === undefined ? '' : `"prompt_id":${JSON.stringify(userPrompt)},`;
    // The row is passed without a copy: the function ignores other keys.
    const columns = `"part":${index + 1},"boundary_part":${boundaryPart},${prompt}${JSON.stringify(row).slice(1)}`;
    return { kind: row.kind, id: row.id, boundaryPart, columns };
  });
  return { rows, userPrompt };
}

/** Turns an event into text. */
export function encodeEvent(event: CaptureEvent): EncodedEvent {
  const { rows, userPrompt } = encodeRows(event);
  const count = (kind: CaptureRow['kind']) => rows.reduce((sum, row) => (row.kind === kind ? sum + 1 : sum), 0);
  const fields = JSON.stringify({
    hash: event.hash,
    parts: rows.length,
    boundaries: count('boundary'),
    row: rows[0]?.id,
    boundary_row: rows.find((row) => row.boundaryPart === 1)?.id,
    prompts: count('prompt'),
    observations: count('observation'),
    tokens: event.rows.reduce((sum, row) => (row.kind === 'boundary' ? sum : sum + row.tokens), 0),
    user_prompt: userPrompt,
    received_at: event.received_at,
    source: event.source,
    model: event.model ?? undefined,
    metadata: event.metadata ?? undefined,
  }).slice(1);
  const { tenant_id, user_id, host, external_id, namespace, infer, received_at } = event;
  return {
    key: event.key,
    session: [tenant_id, user_id, host, external_id].join(NAME_SEPARATOR),
    opening: JSON.stringify({ tenant_id, user_id, host, external_id, namespace, infer, received_at }).slice(1),
    project: event.project === null ? null : JSON.stringify(event.project).slice(1),
    fields,
    rows,
    chars: rows.reduce((sum, row) => sum + row.columns.length, fields.length),
  };
}

/** A JSON array; null if empty. */
function listOf(entries: readonly string[]): string | null {
  return entries.length === 0 ? null : `[${entries.join(',')}]`;
}

/** A PostgreSQL array of values that need no quotes. */
function arrayOf(values: readonly (string | number)[]): string {
  return `{${values.join(',')}}`;
}

/** An element of a PostgreSQL array of texts. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** A batch and its sessions. */
export interface EncodedBatch {
  /** Parameters of `capture_events` after the first. */
  readonly values: readonly (string | null)[];
  /** One text for each session and project in the batch: the key of the cache of known sessions. */
  readonly sessions: readonly string[];
}

/** Joins events to a batch, in order. */
export function encodeBatch(events: readonly EncodedEvent[]): EncodedBatch {
  const places = new Map<string, number>();
  const twins = new Map<string, number>();
  const projectOf = new Map<string, string | null>();
  const sessions: string[] = [];
  const lines: string[] = [];
  const eventKeys: string[] = [];
  const eventSessions: number[] = [];
  const rowIds: string[] = [];
  const rowEvents: number[] = [];
  const rowParts: number[] = [];
  const rowPlaces: number[] = [];
  const rowKinds: string[] = [];
  const rows: Record<CaptureRow['kind'], string[]> = { prompt: [], observation: [], boundary: [] };
  events.forEach(({ key, session, opening, project, fields, rows: own, mark }, index) => {
    const n = index + 1;
    let place = places.get(session);
    if (place === undefined) {
      place = places.size + 1;
      places.set(session, place);
      sessions.push(`{"n":${place},${opening}`);
    }
    const saying = `${session}${NAME_SEPARATOR}${project ?? ''}`;
    if (!projectOf.has(saying)) projectOf.set(saying, project === null ? null : `{"session":${place},${project}`);
    const identity = key === null ? null : `${place}${NAME_SEPARATOR}${key}`;
    if (identity !== null && !twins.has(identity)) twins.set(identity, n);
    const twin = identity === null ? '' : `"twin":${twins.get(identity) ?? n},`;
    const marked = mark === undefined ? '' : `"mark":"${mark}",`;
    lines.push(`{"n":${n},"session":${place},${twin}${marked}${fields}`);
    eventKeys.push(key === null ? 'NULL' : quoted(key));
    eventSessions.push(place);
    own.forEach((row, part) => {
      rows[row.kind].push(`{"n":${n},${row.columns}`);
      rowIds.push(row.id);
      rowEvents.push(n);
      rowParts.push(part + 1);
      rowPlaces.push(row.boundaryPart);
      rowKinds.push(row.kind);
    });
  });
  const projects = [...projectOf.values()].filter((project) => project !== null);
  return {
    values: [
      listOf(sessions),
      listOf(projects),
      listOf(lines),
      arrayOf(eventKeys),
      arrayOf(eventSessions),
      arrayOf(rowIds),
      arrayOf(rowEvents),
      arrayOf(rowParts),
      arrayOf(rowPlaces),
      arrayOf(rowKinds),
      listOf(rows.prompt),
      listOf(rows.observation),
      listOf(rows.boundary),
    ],
    sessions: [...projectOf.keys()],
  };
}

const outcomeRow = z
  .object({
    status: z.enum(['accepted', 'duplicate', 'rejected']),
    row_id: z.string().nullable(),
    seq: z.number().nullable(),
    session_id: z.string(),
    reason: z.enum(REJECT_REASONS).nullable(),
  })
  .transform(({ row_id: rowId, session_id: sessionId, ...row }): CaptureOutcome => ({
    ...row,
    rowId: rowId === null ? null : asId(rowId),
    sessionId: asId(sessionId),
  }));

const STATEMENT = `SELECT status, row_id, seq, session_id, reason FROM capture_events($1::boolean, $2::json, $3::json, $4::json, $5::text[],
  $6::integer[], $7::uuid[], $8::integer[], $9::integer[], $10::integer[], $11::text[], $12::json, $13::json, $14::json)`;

/** Error code of `capture_events` for a session that the caller passed as known but that does not exist. */
const SESSION_MISSING = 'RC001';

/** Runs the statement: a pool, or a transaction that also contains other writes. */
interface CaptureConnection {
  query(statement: {
    readonly name: string;
    readonly text: string;
    readonly values: (string | boolean | null)[];
  }): Promise<{ readonly rows: unknown[] }>;
}

/** Stores events; returns one outcome an event, in order. */
export type CaptureEncoded = (events: readonly EncodedEvent[]) => Promise<CaptureOutcome[]>;

/** Size of the cache of known sessions: the least recently used are removed first. */
const MAX_KNOWN = 20_000;

/**
 * Stores encoded events of any number of sessions and tenants in one transaction and one round trip. Events with status accepted are committed.
 * Rejects with the error of node-postgres; then no event of the batch is stored, unless the connection broke during the commit. Caches the sessions
 * that exist and the projects sent for them, so that the database does not look them up again.
 */
export function createCapture(pool: CaptureConnection): CaptureEncoded {
  const known = new Set<string>();
  return async (events) => {
    const { values, sessions } = encodeBatch(events);
    const store = async (sessionsKnown: boolean): Promise<CaptureOutcome[]> => {
      const result = await pool.query({ name: 'capture_events', text: STATEMENT, values: [sessionsKnown, ...values] });
      return z.array(outcomeRow).parse(result.rows);
    };
    const allKnown = sessions.every((session) => known.has(session));
    try {
      const outcomes = await store(allKnown);
      for (const session of sessions) {
        known.delete(session);
        known.add(session);
      }
      for (const oldest of known) {
        if (known.size <= MAX_KNOWN) break;
        known.delete(oldest);
      }
      return outcomes;
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === SESSION_MISSING;
      if (!allKnown || !isMissing) throw error;
      for (const session of sessions) known.delete(session);
      return store(false);
    }
  };
}

/** Stores one batch of events. */
export function captureEvents(pool: CaptureConnection, events: readonly CaptureEvent[]): Promise<CaptureOutcome[]> {
  return createCapture(pool)(events.map(encodeEvent));
}
