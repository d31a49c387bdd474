import { z } from 'zod';
import { isPackDamage, unpacked } from '../../stores/archive/packed.ts';

/** Version of the lines; a reader refuses a newer one. */
export const EXPORT_FORMAT_VERSION = 1;
/** The longest line: a row of capture holds a few values of 64 KiB. */
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
/** What makes lines unreadable. `id_taken`: a row stands under its id in another tenant of this instance. */
export const EXPORT_FILE_FAULTS = [
  'not_export_file',
  'newer',
  'damaged',
  'unfinished',
  'too_long',
  'id_taken',
] as const;
export type ExportFileFault = (typeof EXPORT_FILE_FAULTS)[number];

/** Lines that cannot be taken in. The message names tables and numbers of lines, never what stands in them. */
export class ExportFileError extends Error {
  override readonly name = 'ExportFileError';
  readonly fault: ExportFileFault;

  constructor(fault: ExportFileFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

const ROW = /^\{"table":"([a-z_]{1,63})","row":\{/;

/** The table that a line is a row of; null for the header, the end and what is no line of ours. The row itself is read by PostgreSQL alone: no number loses a digit. */
export function tableOfLine(line: string): string | null {
  return ROW.exec(line)?.[1] ?? null;
}

/** Lines of a text that comes in pieces, without their newlines. A last line without one is answered, too. @throws ExportFileError too_long */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest: string[] = [];
  let held = 0;
  for await (const piece of pieces) {
    let from = 0;
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', from)) {
      yield rest.length === 0 ? piece.slice(from, at) : rest.join('') + piece.slice(from, at);
      rest = [];
      held = 0;
      from = at + 1;
    }
    if (from < piece.length) rest.push(piece.slice(from));
    held += piece.length - from;
    if (held > MAX_LINE_CHARS)
      throw new ExportFileError('too_long', `a line is longer than ${MAX_LINE_CHARS} characters`);
  }
  if (held > 0) yield rest.join('');
}

/** Bytes that are no text: another attempt would read the same. */
function isNoText(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
}

/** Pieces of bytes as text, whatever they are cut at. */
async function* asText(bytes: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const piece of bytes) yield decoder.decode(z.instanceof(Uint8Array).parse(piece), { stream: true });
  yield decoder.decode();
}

/** The lines of a compressed file. @throws ExportFileError damaged, where it cannot be decompressed; errors of the source as they are */
export async function* unpackLines(file: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  try {
    yield* linesOf(asText(unpacked(file)));
  } catch (error) {
    throw isPackDamage(error) || isNoText(error)
      ? new ExportFileError('damaged', 'the file is not what was compressed')
      : error;
  }
}
