import { z } from 'zod';
import { ERASURE_KINDS, MAX_ERASED_ROWS } from '../../domain/keep/erasure-journal.ts';
import type { JournalEntry } from '../../domain/keep/erasure-journal.ts';

const journalEntry = z.strictObject({
  id: z.uuid(),
  at: z.iso.datetime(),
  tenant_id: z.uuid(),
  kind: z.enum(ERASURE_KINDS),
  names: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(MAX_ERASED_ROWS),
});

/** The bytes of an entry. @throws ZodError for what is none */
export function journalBytes(entry: JournalEntry): Buffer {
  return Buffer.from(JSON.stringify(journalEntry.parse(entry)), 'utf8');
}

/** An entry from the bytes of its object; null for what is none: the journal is read past it, and whoever reads says so. */
export function readJournalBytes(bytes: Uint8Array): JournalEntry | null {
  try {
    return journalEntry.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    // Half an object, or one of a newer form.
    return null;
  }
}
