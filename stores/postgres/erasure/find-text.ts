import { z } from 'zod';
import { MAX_ERASED_ROWS } from '../../../domain/erasure/erasure-journal.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { viewOfUser } from '../connection/database.ts';
import type { Database, TenantRead, TenantTransaction } from '../connection/database.ts';
import type { Found } from './erasures.ts';
import { foundSchema } from './erasures.ts';
import { FIRST_ID } from '../../../domain/ids.ts';
import { idsOf } from '../connection/rows.ts';

/** More rows hold a text than one erasure takes: it is too common a one. */
export class TooMuchFound extends Error {
  override readonly name = 'TooMuchFound';
  constructor() {
    super(`more than ${MAX_ERASED_ROWS} rows hold the text: name a longer one`);
  }
}

type Form = 'text' | 'json' | 'list';

/** Columns with content, by table and type. Columns with the product's own words (kinds, states, names of models) are no content. A test compares the list with the catalog. */
export const CONTENT_COLUMNS: Readonly<Record<string, Readonly<Record<string, Form>>>> = {
  prompts: { content: 'text', metadata: 'json' },
  observations: {
    title: 'text',
    content: 'text',
    preview: 'text',
    input: 'json',
    metadata: 'json',
    tags: 'list',
    files_read: 'list',
    files_modified: 'list',
  },
  boundaries: { reason: 'text', metadata: 'json' },
  summaries: {
    title: 'text',
    content: 'text',
    request: 'text',
    investigated: 'text',
    learned: 'text',
    completed: 'text',
    next_steps: 'text',
    notes: 'text',
    key_points: 'json',
    action_items: 'json',
    evidence: 'json',
    metadata: 'json',
    tags: 'list',
    files_read: 'list',
    files_modified: 'list',
  },
  learnings: {
    title: 'text',
    description: 'text',
    context: 'text',
    examples: 'json',
    tags: 'list',
    verify_note: 'text',
    reason: 'text',
    reopen_reason: 'text',
  },
  entities: { name: 'text', label: 'text' },
  learning_evidence: { quote: 'text' },
  gdpr_requests: { body: 'json' },
  entity_mentions: { quote: 'text' },
  relation_evidence: { quote: 'text' },
  sessions: { title: 'text', metadata: 'json' },
  model_response_cache: { response: 'text' },
  memory_uses: { note: 'text' },
  project_glossaries: { names: 'list' },
  archives: { title: 'text', heads: 'text' },
};

/** Exact and case-sensitive: `$1` is the text, `$2` the same as JSON writes it between its quotes. Pieces of a list are looked into one by one. */
export function contains(table: string, alias = 't'): string {
  const forms = Object.entries(CONTENT_COLUMNS[table] ?? {}).map(([column, form]) => {
    switch (form) {
      case 'text':
        return `position($1 IN ${alias}.${column}) > 0`;
      case 'json':
        return `position($2 IN ${alias}.${column}::text) > 0`;
      case 'list':
        return `position($1 IN array_to_string(${alias}.${column}, chr(31))) > 0`;
    }
  });
  // Both are named, so that PostgreSQL knows what they are where a table has no such column.
  return `($1::text IS NOT NULL AND $2::text IS NOT NULL AND (${forms.join(' OR ')}))`;
}

/** The text as PostgreSQL writes it in JSON, without the quotes around it. */
export function asJsonPiece(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Sessions whose title or metadata hold a text: they lose both when it is erased. */
export async function sessionsTitled(
  transaction: TenantTransaction,
  tenantId: string,
  text: string,
): Promise<readonly string[]> {
  const rows = await transaction.$queryRawUnsafe(
    `SELECT t.id FROM sessions t WHERE t.tenant_id = $3::uuid AND ${contains('sessions')}`,
    text,
    asJsonPiece(text),
    tenantId,
  );
  return idsOf(rows);
}

/** Text outside of memories, which is erased alone: the column by whose id the erasure is repeated on an older database. Caches are deleted completely there. */
export const BESIDE = {
  sessions: 'id',
  gdpr_requests: 'id',
  memory_uses: 'context_id',
  learning_evidence: 'row_id',
  entity_mentions: 'source_id',
  relation_evidence: 'source_id',
} as const;

/** Returns the ids of rows outside of memories that contain a text. */
export async function findBeside(
  transaction: TenantTransaction,
  tenantId: string,
  text: string,
): Promise<readonly string[]> {
  const queries = Object.entries(BESIDE).map(
    ([table, column]) => `SELECT t.${column} AS id FROM ${table} t WHERE t.tenant_id = $3::uuid AND ${contains(table)}`,
  );
  return idsOf(await transaction.$queryRawUnsafe(queries.join(' UNION '), text, asJsonPiece(text), tenantId));
}

/** Sessions of one statement: with 500 rows each, a few hundredths of a second. */
const SESSIONS_AT_ONCE = 100;

const placedRows = z.array(z.object({ id: z.string(), session: z.string().nullable() }));

const EVENTS = ['prompts', 'observations', 'boundaries'] as const;
/** Tables that are small beside the events, looked through by tenant. */
const QUOTED = `
  SELECT e.row_id AS id, e.session_id AS session FROM learning_evidence e WHERE e.tenant_id = $3 AND ${contains('learning_evidence', 'e')}
  UNION SELECT m.source_id, m.session_id FROM entity_mentions m WHERE m.tenant_id = $3 AND m.source_type IN ('observation', 'prompt') AND ${contains('entity_mentions', 'm')}`;

async function eventsOf(read: TenantRead, searchText: readonly unknown[], sessions: readonly string[]) {
  const rows: { id: string; session: string | null }[] = [];
  for (const table of EVENTS)
    rows.push(
      ...placedRows.parse(
        await read({
          name: `find_text_${table}`,
          text: `SELECT t.id, t.session_id AS session FROM ${table} t WHERE t.session_id = ANY ($3::uuid[]) AND ${contains(table)} LIMIT ${MAX_ERASED_ROWS + 1}`,
          values: [...searchText, sessions],
        }),
      ),
    );
  return rows;
}

/**
 * Returns the ids of every row of a tenant that contains a text. Reads in steps, each in a transaction of its own.
 * @throws TooMuchFound, and the signal's reason
 */
export async function findText(
  database: Pick<Database, 'readAsTenant'>,
  tenantId: TenantId,
  text: string,
  signal?: AbortSignal,
): Promise<Found> {
  const searchText = [text, asJsonPiece(text)];
  // The admin who erases a text reads every user's rows.
  const view = viewOfUser(tenantId);
  const events = new Map<string, { id: string; session: string | null }>();
  const bounded = (size: number): void => {
    if (size > MAX_ERASED_ROWS) throw new TooMuchFound();
  };
  for (let after = FIRST_ID; ;) {
    signal?.throwIfAborted();
    const last = after;
    const step = await database.readAsTenant(view, async (read) => {
      const ids = idsOf(
        await read({
          name: 'find_text_sessions',
          text: `SELECT t.id FROM sessions t WHERE t.tenant_id = $1 AND t.id > $2 ORDER BY t.id LIMIT ${SESSIONS_AT_ONCE}`,
          values: [tenantId, last],
        }),
      );
      return {
        ids,
        events: ids.length === 0 ? [] : await eventsOf(read, searchText, ids),
      };
    });
    for (const event of step.events) events.set(event.id, event);
    bounded(events.size);
    const end = step.ids.at(-1);
    if (end === undefined || step.ids.length < SESSIONS_AT_ONCE) break;
    after = end;
  }
  const rest = await database.readAsTenant(view, async (read) => {
    const of = (table: 'summaries' | 'learnings' | 'entities', columns: string) =>
      read({
        name: `find_text_${table}`,
        text: `SELECT ${columns} FROM ${table} t WHERE t.tenant_id = $3 AND ${contains(table)} LIMIT ${MAX_ERASED_ROWS + 1}`,
        values: [...searchText, tenantId],
      });
    return {
      summaries: placedRows.parse(await of('summaries', 't.id, t.session_id AS session')),
      learnings: idsOf(await of('learnings', 't.id')),
      entities: idsOf(await of('entities', 't.id')),
      sessions: idsOf(
        await read({
          name: 'find_text_archives',
          text: `SELECT t.session_id AS id FROM archives t WHERE t.tenant_id = $3 AND ${contains('archives')} LIMIT ${MAX_ERASED_ROWS + 1}`,
          values: [...searchText, tenantId],
        }),
      ),
      quoted: placedRows.parse(
        await read({ name: 'find_text_quotes', text: QUOTED, values: [...searchText, tenantId] }),
      ),
    };
  });
  const { quoted, ...found } = rest;
  for (const event of quoted) events.set(event.id, event);
  bounded(
    Math.max(events.size, found.sessions.length, found.summaries.length, found.learnings.length, found.entities.length),
  );
  return foundSchema.parse({ ...found, events: [...events.values()] });
}
