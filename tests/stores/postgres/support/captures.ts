import { buildCaptureEvent } from '../../../../domain/capture/build-event.ts';
import type { BoundaryKind, CaptureEvent, EventPart, HostEvent, PromptType } from '../../../../domain/capture/event.ts';
import type { TestRows, TestUser } from '../../../setup/database.ts';
import { PLAIN_HOST_EVENT } from '../../../setup/host-event.ts';

/** Parts of events, as hosts send them. */
export function promptPart(content: string, type: PromptType = 'user'): EventPart {
  return { kind: 'prompt', type, content };
}

export function noted(content: string, tags: readonly string[] = []): EventPart {
  return { kind: 'note', event: 'observation', type: 'info', title: '', content, importance: null, tags };
}

export function ended(boundary: BoundaryKind = 'turn_end'): EventPart {
  return { kind: 'boundary', boundary, reason: null };
}

/** An event of a user's session, ready for the database; built as the api builds it. */
export function event(
  user: TestUser,
  externalId: string,
  parts: readonly EventPart[],
  more: Partial<HostEvent> = {},
  receivedAt = new Date(),
): CaptureEvent {
  const host: HostEvent = { ...PLAIN_HOST_EVENT, host: 'test', externalId, parts, ...more };
  return buildCaptureEvent(host, user, receivedAt);
}

export interface StoredRow {
  readonly seq: number;
  readonly id: string;
  readonly kind: 'prompt' | 'observation' | 'boundary';
  readonly content: string;
  readonly prompt_id: string | null;
}

/** Every row of a session in order of its position, whatever its table. */
export function rowsOf(db: Pick<TestRows, 'rows'>, sessionId: string): Promise<StoredRow[]> {
  return db.rows<StoredRow>(
    `SELECT seq, id, 'prompt' AS kind, content, NULL::uuid AS prompt_id FROM prompts WHERE session_id = $1
     UNION ALL SELECT seq, id, 'observation', content, prompt_id FROM observations WHERE session_id = $1
     UNION ALL SELECT seq, id, 'boundary', kind, NULL FROM boundaries WHERE session_id = $1
     ORDER BY seq`,
    [sessionId],
  );
}

const CAPTURE_TABLES = [
  'sessions',
  'projects',
  'project_aliases',
  'prompts',
  'observations',
  'boundaries',
  'capture_keys',
] as const;

/** How many rows capture has written, table by table. */
export async function captureCounts(db: Pick<TestRows, 'rows'>): Promise<Record<string, number>> {
  const counts = CAPTURE_TABLES.map((table) => `(SELECT count(*)::integer FROM ${table}) AS ${table}`);
  const rows = await db.rows<Record<string, number>>(`SELECT ${counts.join(', ')}`);
  return rows[0] ?? {};
}
