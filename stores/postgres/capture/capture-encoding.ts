import type { CaptureEvent, CaptureRow } from '../../../domain/capture/event.ts';
import { NAME_SEPARATOR } from '../../../domain/capture/well-formed.ts';

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
  events.forEach(({ key, session, opening, project, fields, rows: own }, index) => {
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
    lines.push(`{"n":${n},"session":${place},${twin}${fields}`);
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
