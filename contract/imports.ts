import { z } from 'zod';
import type { DropRule } from '../domain/claude-mem/counts.ts';
import { CLAUDE_MEM_TABLES } from '../domain/claude-mem/rows.ts';
import type { ClaudeMemTable } from '../domain/claude-mem/rows.ts';
import type { CountName } from '../domain/transcripts/counts.ts';
import { timestamp } from './shared.ts';
import { WORK_STATES } from '../domain/jobs.ts';
import { flag, numeric } from './query.ts';
import { text } from './text.ts';

/** What a server reads from its own machine. */
export const IMPORT_KINDS = ['transcripts', 'claude-mem'] as const;

const PATH_CHARS = 4_096;

const serverPath = text(PATH_CHARS).regex(/^\//, 'must be an absolute path');

const transcriptsBody = z.strictObject({
  kind: z.literal('transcripts'),
  directory: serverPath
    .optional()
    .describe('Absolute path of a folder on the server; default: the transcripts of the server’s user'),
  follow: z.boolean().default(false).describe('Follow later writes until the import is cancelled'),
});

const count = z.number().int();
const claudeMemBody = z.strictObject({
  kind: z.literal('claude-mem'),
  file: serverPath
    .optional()
    .describe('Absolute path of a database on the server; default: `claude-mem.db` of the server’s user'),
  dry_run: z.boolean().default(false).describe('Report what would be imported, without writing'),
});

export const importBody = z.discriminatedUnion('kind', [transcriptsBody, claudeMemBody]);

/** What was counted, name by name. */
export const countsSchema = z
  .object({
    lines: count.describe('Lines that were read'),
    added: count.describe('Events that hooks had missed'),
    present: count.describe('Events that were stored already'),
    refused: count.describe('Events that were rejected: forgotten, deleted, or not captured'),
    late_duplicates: count.describe('Late deliveries of events that a transcript had already supplied; removed'),
    truncated: count.describe('Incomplete lines'),
    repeated: count.describe('Lines that occurred before, in this file or in another session’s'),
    unknown_type: count,
    not_json: count,
    too_large: count.describe('Lines over 32 MiB, or, if sent over HTTP, with more than 100,000 values'),
  } satisfies Record<CountName, z.ZodType>)
  .meta({ id: 'TranscriptCounts' });

/** What became of a table's rows. */
export const tableReportSchema = z
  .object({
    table: z.enum(CLAUDE_MEM_TABLES),
    source_rows: count.describe('Number of rows in the source'),
    imported: count,
    present: count.describe('Rows that exist already: imported before or captured by hooks'),
    refused: count.describe('Rows that were forgotten or deleted on this instance'),
    dropped: z.object({
      private: count.describe('Entirely private rows'),
      empty: count.describe('Empty rows'),
      observer: count.describe('Rows of claude-mem’s own observer'),
      processed: count.describe('Messages whose observations exist'),
      no_event: count.describe('Messages without an event'),
    } satisfies Record<DropRule, z.ZodType>),
    recorded_rows: count.nullable().describe('Rows recorded as imported on this instance; null if nothing was written'),
    unaccounted: count.describe('Rows that no counter above explains'),
  })
  .meta({ id: 'ImportedTable' });

export const importSchema = z
  .object({
    id: z.string(),
    user_id: z.string().describe('Id of the user who started it'),
    kind: z.enum(IMPORT_KINDS),
    directory: z.string().describe('Folder or file of the import'),
    follow: z.boolean(),
    dry_run: z.boolean(),
    state: z.enum(WORK_STATES),
    files: z.object({
      total: count,
      done: count.describe('Files read to their end'),
      unchanged: count.describe('Files read before and unchanged since'),
      waiting: count.describe('Files that are being written; read by the next pass'),
      unreadable: count,
    }),
    counts: countsSchema,
    rows: z
      .object({ total: count, done: count, sessions_made: count, first_prompts: count })
      .nullable()
      .describe('Rows of a database; null for transcripts'),
    tables: z.array(tableReportSchema).nullable().describe('Outcomes of the rows, by table; null for transcripts'),
    error: z.string().nullable().describe('Type of the failure'),
    created_at: z.string(),
    updated_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .meta({ id: 'Import' });

/** Names a file of a machine; the server does not open it. */
export const transcriptName = {
  machine: text(256).describe('Id of the machine of the file'),
  path: text(PATH_CHARS).describe('Path of the file on that machine'),
};

/** A pebibyte, and thirty thousand years in milliseconds: what is counted on from there is exact. */
const MOST = 2 ** 50;
const bytes = numeric(z.number().int().min(0).max(MOST));

export const transcriptQuery = z.strictObject({
  ...transcriptName,
  fingerprint: text(128).describe('Fingerprint that distinguishes the file from others of the same name'),
  offset: bytes.describe('Byte offset of the body in the file'),
  size: bytes.describe('Size of the file, in bytes'),
  modified_at: timestamp.describe('Time of the last write to the file'),
  quiet_ms: bytes.describe('Time since the last write, in ms, by the clock of the file’s machine'),
});

export const cursorSchema = z
  .object({
    fingerprint: z.string().nullable().describe('Fingerprint of the file; null if it was never sent'),
    size: count,
    modified_at: z.string().nullable(),
    offset: count.describe('Byte offset of the next segment'),
    open: z.boolean().describe('Whether the end of the file is incomplete'),
    looked_at: z.string().nullable(),
  })
  .meta({ id: 'TranscriptCursor' });

export const segmentSchema = z
  .object({
    next_offset: count.describe('Byte offset of the next body; unchanged if a longer body is needed'),
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
  dry_run: flag().prefault(false).describe('Report what would be imported, without writing'),
});

export const claudeMemKnownQuery = claudeMemRowsQuery.pick({ source: true });

/** Requests with rows that the server reads for one user at once: the client sends as many, since one that is rejected as BUSY waits for a second. */
export const CLAUDE_MEM_REQUESTS = 3;

/** What became of rows that were sent. */
export const claudeMemTaken = z
  .object({
    rows: count.describe('Number of rows in the request'),
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
