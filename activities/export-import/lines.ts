import { z } from 'zod';
import { isPackDamage, unpacked } from '../../stores/archive/packed.ts';

/** Version of the format; a reader rejects newer ones. */
export const EXPORT_FORMAT_VERSION = 1;
/** The longest line: captured rows have a few values of 64 KiB. */
const MAX_LINE_CHARS = 32 * 1024 * 1024;

export const exportHeader = z.object({
  recollect: z.literal('export'),
  version: z.number().int(),
  /** Names of the migrations that made the tables, in order. */
  migrations: z.array(z.string().max(200)).max(10_000),
  tenant: z.object({ id: z.uuid(), name: z.string().max(1_000) }),
  scope: z.object({ kind: z.enum(['tenant', 'project', 'user', 'session']), subject: z.uuid().nullable() }),
  /** RFC 3339: when the snapshot was taken. */
  at: z.string().max(64),
});
export type ExportHeader = z.output<typeof exportHeader>;

export const exportEnd = z.object({
  end: z.object({
    rows: z.record(z.string().max(63), z.number().int()),
    /** SHA-256 of all lines before this one, each with its newline; hex. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
});
/** Faults of an export file. `id_taken`: another tenant of this instance has the id of a row. */
export const EXPORT_FILE_FAULTS = [
  'not_export_file',
  'newer',
  'damaged',
  'unfinished',
  'too_long',
  'id_taken',
] as const;
export type ExportFileFault = (typeof EXPORT_FILE_FAULTS)[number];

/** An export file that cannot be imported. The message contains tables and line numbers, never content. */
export class ExportFileError extends Error {
  override readonly name = 'ExportFileError';
  readonly fault: ExportFileFault;

  constructor(fault: ExportFileFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

const ROW = /^\{"table":"([a-z_]{1,63})","row":\{/;

/** Returns the table of a line's row; null for header, end and invalid lines. PostgreSQL parses the row itself, which preserves all digits. */
export function tableOfLine(line: string): string | null {
  return ROW.exec(line)?.[1] ?? null;
}

/** Yields the lines of a text in pieces, without newlines; the last one may lack its newline. @throws ExportFileError too_long */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest: string[] = [];
  let chars = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', from)) {
      yield rest.length === 0 ? piece.slice(from, at) : rest.join('') + piece.slice(from, at);
      rest = [];
      chars = 0;
      from = at + 1;
    }
    if (from < piece.length) rest.push(piece.slice(from));
    chars += piece.length - from;
    if (chars > MAX_LINE_CHARS)
      throw new ExportFileError('too_long', `a line is longer than ${MAX_LINE_CHARS} characters`);
  }
  if (chars > 0) yield rest.join('');
}

/** Invalid UTF-8: a retry would read the same. */
function isNoText(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
}

/** Decodes pieces of bytes cut anywhere. */
async function* asText(bytes: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const piece of bytes) yield decoder.decode(z.instanceof(Uint8Array).parse(piece), { stream: true });
  yield decoder.decode();
}

/** Yields the lines of a compressed file. @throws ExportFileError damaged if it cannot be decompressed; errors of the source unchanged */
export async function* unpackLines(file: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  try {
    yield* linesOf(asText(unpacked(file)));
  } catch (error) {
    throw isPackDamage(error) || isNoText(error)
      ? new ExportFileError('damaged', 'the file cannot be decompressed')
      : error;
  }
}
