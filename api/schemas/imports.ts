import { z } from 'zod';
import { COUNT_NAMES } from '../../domain/transcripts/counts.ts';
import type { CountName, TranscriptCounts } from '../../domain/transcripts/counts.ts';
import { IMPORT_STATES } from '../../stores/postgres/imports.ts';
import type { StoredImport } from '../../stores/postgres/imports.ts';

/** The only kind of import so far. */
export const IMPORT_KIND = 'transcripts';

const PATH_CHARS = 4_096;

export const importBody = z.strictObject({
  kind: z.literal(IMPORT_KIND),
  directory: z
    .string()
    .min(1)
    .max(PATH_CHARS)
    .optional()
    .describe('Folder on the server, absolute; default: the transcripts of the user who runs it'),
  follow: z.boolean().default(false).describe('Go on with what is written later, until it is cancelled'),
});

const count = z.number().int();
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
    too_large: count.describe('Lines over 32 MiB'),
  } satisfies Record<CountName, z.ZodType>)
  .meta({ id: 'TranscriptCounts' });

const FILE_COUNTS = ['files_total', 'files_done', 'files_unchanged', 'files_waiting', 'files_unreadable'] as const;

export const importSchema = z
  .object({
    id: z.string(),
    kind: z.literal(IMPORT_KIND),
    directory: z.string(),
    follow: z.boolean(),
    state: z.enum(IMPORT_STATES),
    files: z.object({
      total: count,
      done: count.describe('Read to their end'),
      unchanged: count.describe('Read before, and not changed since'),
      waiting: count.describe('Written to at this moment; left for the next time'),
      unreadable: count,
    }),
    counts: countsSchema,
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

export function presentImport(row: StoredImport): z.input<typeof importSchema> {
  const [total = 0, done = 0, unchanged = 0, waiting = 0, unreadable = 0] = FILE_COUNTS.map(
    (name) => row.counts[name] ?? 0,
  );
  return {
    id: row.id,
    kind: IMPORT_KIND,
    directory: row.options.directory,
    follow: row.options.follow,
    state: row.state,
    files: { total, done, unchanged, waiting, unreadable },
    counts: presentCounts(row.counts),
    error: row.error,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    finished_at: row.finishedAt?.toISOString() ?? null,
  };
}

/** Which file of which machine: names only, nothing is opened by them. */
export const transcriptName = {
  machine: z.string().min(1).max(256).describe('Id of the machine that the file lies on'),
  path: z.string().min(1).max(PATH_CHARS).describe('Name of the file there'),
};

const bytes = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const transcriptQuery = z.strictObject({
  ...transcriptName,
  fingerprint: z.string().min(1).max(128).describe('What tells the file from another one of its name'),
  offset: bytes.describe('Where the body begins in the file'),
  size: bytes.describe('Size of the file'),
  modified_at: z.iso.datetime({ offset: true }).describe('When it was last written to'),
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
