import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { isPackDamage, packed, unpacked } from '../../stores/archive/packed.ts';
import { linesOf, exportEnd } from '../export-import/lines.ts';
import { writeRows } from '../export-import/write-rows.ts';
import type { WrittenRows } from '../export-import/write-rows.ts';
import { reportProgress } from '../heartbeat.ts';

/** The stored archive differs from what was written. */
export class ArchiveDamaged extends Error {
  override readonly name = 'ArchiveDamaged';
}

/** Writes a session's rows compressed. Returns rows by table, and hashes of the lines and of the object. */
export async function writeObject(
  client: pg.ClientBase,
  archives: ArchiveStore,
  key: string,
  session: { readonly tenantId: string; readonly sessionId: string },
  signal: AbortSignal,
): Promise<{ readonly rows: WrittenRows; readonly bytes: number; readonly sha256: string }> {
  let rows: WrittenRows | null = null;
  const lines = async function* (): AsyncGenerator<string> {
    rows = yield* writeRows(
      client,
      { kind: 'session', tenantId: session.tenantId, subject: session.sessionId, restrictedOf: null },
      signal,
    );
  };
  const { bytes, sha256 } = await archives.write(key, packed(lines()), signal);
  // Assigned in the generator, which the compiler does not follow.
  const written = rows as WrittenRows | null;
  if (written === null) throw new ArchiveDamaged('the lines of the session are incomplete');
  return { rows: written, bytes, sha256 };
}

/** Reads the lines of an object; `sha256` is valid after the last line. */
export function readObject(
  archives: ArchiveStore,
  key: string,
  signal: AbortSignal,
): { readonly lines: AsyncIterable<string>; readonly sha256: () => string } {
  const hash = createHash('sha256');
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of archives.read(key, signal)) {
      reportProgress(signal);
      hash.update(piece);
      yield piece;
    }
  };
  const text = unpacked(bytes()).setEncoding('utf8');
  return { lines: linesOf(text), sha256: () => hash.digest('hex') };
}

/** Reads an object back and verifies it. @throws ArchiveDamaged if it differs, or ArchiveStoreError */
export async function verifyObject(
  archives: ArchiveStore,
  key: string,
  known: { readonly sha256: string; readonly linesSha256: string; readonly rows: Readonly<Record<string, number>> },
  signal: AbortSignal,
): Promise<void> {
  const { lines, sha256 } = readObject(archives, key, signal);
  const hash = createHash('sha256');
  let last: string | null = null;
  try {
    for await (const line of lines) {
      if (last !== null) hash.update(last).update('\n');
      last = line;
    }
  } catch (error) {
    if (isPackDamage(error)) throw new ArchiveDamaged('the archive cannot be decompressed');
    throw error;
  }
  if (sha256() !== known.sha256) throw new ArchiveDamaged('the hash of the archive differs');
  let lastLine: unknown;
  try {
    lastLine = JSON.parse(last ?? '');
  } catch {
    throw new ArchiveDamaged('the archive has no last line');
  }
  const end = exportEnd.safeParse(lastLine);
  const isSame =
    end.success &&
    end.data.end.sha256 === known.linesSha256 &&
    hash.digest('hex') === known.linesSha256 &&
    Object.entries(known.rows).every(([table, rows]) => end.data.end.rows[table] === rows);
  if (!isSame) throw new ArchiveDamaged('the lines of the archive differ');
}
