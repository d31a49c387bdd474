import { z } from 'zod';
import { reportOf } from '../domain/claude-mem/counts.ts';
import type { DropRule } from '../domain/claude-mem/counts.ts';
import { CLAUDE_MEM_TABLES } from '../domain/claude-mem/rows.ts';
import type { ClaudeMemTable } from '../domain/claude-mem/rows.ts';
import { COUNT_NAMES } from '../domain/transcripts/counts.ts';
import type { CountName, TranscriptCounts } from '../domain/transcripts/counts.ts';
import { timestamp } from './shared.ts';
import { IMPORT_STATES } from '../stores/postgres/imports/imports.ts';
import type { StoredImport } from '../stores/postgres/imports/imports.ts';
import { flag, numeric } from './query.ts';
import { text } from './text.ts';

/** What a server reads from its own machine. */
const IMPORT_KINDS = ['transcripts', 'claude-mem'] as const;

const PATH_CHARS = 4_096;

const serverPath = text(PATH_CHARS).regex(/^\//, 'must be an absolute path');

const transcriptsBody = z.strictObject({
  kind: z.literal('transcripts'),
  directory: serverPath
    .optional()
    .describe('Folder on the server, absolute; default: the transcripts of the user who runs it'),
  follow: z.boolean().default(false).describe('Go on with what is written later, until it is cancelled'),
});

const count = z.number().int();
const claudeMemBody = z.strictObject({
  kind: z.literal('claude-mem'),
  file: serverPath
    .optional()
    .describe('Database on the server, absolute; default: `claude-mem.db` of the user who runs it'),
  dry_run: z.boolean().default(false).describe('Tell what would happen, and write nothing'),
});

export const importBody = z.discriminatedUnion('kind', [transcriptsBody, claudeMemBody]);

/** What was counted, name by name. */
export const countsSchema = z
  .object({
    lines: count.describe('Lines read'),
    added: count.describe('Events that hooks had missed'),
    present: count.describe('Events that were stored already'),
    refused: count.describe('Events that the store does not take: forgotten, deleted, or capture is off'),
    doubles: count.describe('Late deliveries of what a transcript had given, taken out again'),
    truncated: count.describe('Lines that break off'),
    repeated: count.describe('Lines that stood there before, in this file or in another session’s'),
    unknown_type: count,
    not_json: count,
    too_large: count.describe('Lines over 32 MiB, or of more than 100,000 values where they were sent'),
  } satisfies Record<CountName, z.ZodType>)
  .meta({ id: 'TranscriptCounts' });

const FILE_COUNTS = ['files_total', 'files_done', 'files_unchanged', 'files_waiting', 'files_unreadable'] as const;

/** What became of a table's rows. */
export const tableReportSchema = z
  .object({
    table: z.enum(CLAUDE_MEM_TABLES),
    theirs: count.describe('Rows that the source counts'),
    imported: count,
    present: count.describe('Here already: taken in before, or captured by hooks'),
    refused: count.describe('Forgotten or deleted here'),
    dropped: z.object({
      private: count.describe('Private as a whole'),
      empty: count.describe('Says nothing'),
      observer: count.describe('Of claude-mem’s own observer'),
      processed: count.describe('A message whose observations are there'),
      no_event: count.describe('A message that holds nothing'),
    } satisfies Record<DropRule, z.ZodType>),
    ours: count.nullable().describe('Rows that are known here as taken in; null where nothing was written'),
    unaccounted: count.describe('Rows that no rule explains'),
  })
  .meta({ id: 'ImportedTable' });

export const importSchema = z
  .object({
    id: z.string(),
    kind: z.enum(IMPORT_KINDS),
    directory: z.string().describe('Folder or file that is read'),
    follow: z.boolean(),
    dry_run: z.boolean(),
    state: z.enum(IMPORT_STATES),
    files: z.object({
      total: count,
      done: count.describe('Read to their end'),
      unchanged: count.describe('Read before, and not changed since'),
      waiting: count.describe('Written to at this moment; left for the next time'),
      unreadable: count,
    }),
    counts: countsSchema,
    rows: z
      .object({ total: count, done: count, sessions_made: count, first_prompts: count })
      .nullable()
      .describe('Of a database; null for transcripts'),
    tables: z
      .array(tableReportSchema)
      .nullable()
      .describe('What became of the rows of each table; null for transcripts'),
    error: z.string().nullable().describe('Type of what ended it'),
    created_at: z.string(),
    updated_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .meta({ id: 'Import' });

/** Counts of any store, each name with a number. */
export function presentCounts(
  counts: Readonly<Record<string, number>> | TranscriptCounts,
): z.input<typeof countsSchema> {
  const given = new Map(Object.entries(counts));
  return countsSchema.parse(Object.fromEntries(COUNT_NAMES.map((name) => [name, given.get(name) ?? 0])));
}

/** Rows of a database. What is known of them here is counted at the end. */
function presentRows({ counts, options, state }: StoredImport) {
  const of = (name: string) => counts[name] ?? 0;
  const ours = Object.fromEntries(CLAUDE_MEM_TABLES.map((table) => [table, of(`${table}.ours`)]));
  return {
    rows: {
      total: of('rows_total'),
      done: of('rows_done'),
      sessions_made: of('sessions_made'),
      first_prompts: of('first_prompts'),
    },
    tables: reportOf(counts, options.dryRun || state !== 'completed' ? null : ours),
  };
}

export function presentImport(row: StoredImport): z.input<typeof importSchema> {
  const [total = 0, done = 0, unchanged = 0, waiting = 0, unreadable = 0] = FILE_COUNTS.map(
    (name) => row.counts[name] ?? 0,
  );
  return {
    id: row.id,
    kind: z.enum(IMPORT_KINDS).parse(row.kind),
    directory: row.options.directory,
    follow: row.options.follow,
    dry_run: row.options.dryRun,
    state: row.state,
    files: { total, done, unchanged, waiting, unreadable },
    counts: presentCounts(row.counts),
    ...(row.kind === 'claude-mem' ? presentRows(row) : { rows: null, tables: null }),
    error: row.error,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    finished_at: row.finishedAt?.toISOString() ?? null,
  };
}

/** Which file of which machine: names only, nothing is opened by them. */
export const transcriptName = {
  machine: text(256).describe('Id of the machine that the file lies on'),
  path: text(PATH_CHARS).describe('Name of the file there'),
};

/** A pebibyte, and thirty thousand years in milliseconds: what is counted on from there is exact. */
const MOST = 2 ** 50;
const bytes = numeric(z.number().int().min(0).max(MOST));

export const transcriptQuery = z.strictObject({
  ...transcriptName,
  fingerprint: text(128).describe('What tells the file from another one of its name'),
  offset: bytes.describe('Where the body begins in the file'),
  size: bytes.describe('Size of the file'),
  modified_at: timestamp.describe('When it was last written to'),
  quiet_ms: bytes.describe('For how long nothing was written to it, by the clock of its machine'),
});

export const cursorSchema = z
  .object({
    fingerprint: z.string().nullable().describe('Null when the file was never sent'),
    size: count,
    modified_at: z.string().nullable(),
    offset: count.describe('Where to go on'),
    open: z.boolean().describe('Something at the end is unfinished'),
    looked_at: z.string().nullable(),
  })
  .meta({ id: 'TranscriptCursor' });

export const segmentSchema = z
  .object({
    next_offset: count.describe('Where the next body has to begin; the same as before when it has to be longer'),
    open: z.boolean(),
    counts: countsSchema,
    session_id: z.string().nullable(),
  })
  .meta({ id: 'TranscriptSegment' });

export const claudeMemRowsQuery = z.strictObject({
  source: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .describe('Fingerprint of the database, 32 hex digits'),
  table: z.enum(CLAUDE_MEM_TABLES),
  dry_run: flag().prefault(false).describe('Tell what would happen, and write nothing'),
});

export const claudeMemKnownQuery = claudeMemRowsQuery.pick({ source: true });

/** What became of rows that were sent. */
export const claudeMemTaken = z
  .object({
    rows: count.describe('Rows that were sent'),
    imported: count,
    present: count,
    refused: count,
    dropped: tableReportSchema.shape.dropped,
    sessions_made: count,
    first_prompts: count,
  })
  .meta({ id: 'ImportedRows' });

export const claudeMemKnown = z
  .object({
    sdk_sessions: count,
    user_prompts: count,
    observations: count,
    session_summaries: count,
    pending_messages: count,
  } satisfies Record<ClaudeMemTable, z.ZodType>)
  .meta({ id: 'KnownRows' });
