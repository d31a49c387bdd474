import type pg from 'pg';
import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import { entrySha256 } from '../../../domain/erasure/erasure-journal.ts';
import type { JournalEntry, JournalHead, JournalRecord } from '../../../domain/erasure/erasure-journal.ts';
import { journalObject } from '../../archive/journal-entry.ts';

/** The journal as the running database has it. All take the pool of the maintenance role. */

const headRows = z.array(z.object({ journal_id: z.string(), sequence: z.int(), entry_sha256: z.string() }));
const HEAD = 'SELECT journal_id, sequence, entry_sha256 FROM erasure_journal';
const STORED = 'sequence < coalesce((SELECT min(sequence) FROM erasure_journal WHERE stored_at IS NULL), 2147483647)';

async function headOf(client: pg.Pool | pg.ClientBase, where: string): Promise<JournalHead | null> {
  const { rows } = await client.query(`${HEAD} WHERE ${where} ORDER BY sequence DESC LIMIT 1`);
  const [last] = headRows.parse(rows);
  return last === undefined ? null : { journal: last.journal_id, entries: last.sequence, last: last.entry_sha256 };
}

/** Last entry that every store has; null before the first. */
export function storedHead(maintenance: pg.Pool): Promise<JournalHead | null> {
  return headOf(maintenance, STORED);
}

async function appendOne(
  client: pg.ClientBase,
  record: JournalRecord,
  signingKey: Uint8Array,
  at: Date,
): Promise<JournalHead> {
  const head = await headOf(client, 'true');
  const journal = head?.journal ?? newId();
  const sequence = (head?.entries ?? 0) + 1;
  const entry: JournalEntry = {
    version: 1,
    journal,
    sequence,
    previous: head?.last ?? null,
    at: at.toISOString(),
    record,
  };
  const { text, object } = journalObject(entry, signingKey);
  const last = entrySha256(text);
  await client.query(
    'INSERT INTO erasure_journal (sequence, journal_id, erasure_id, object, entry_sha256) VALUES ($1, $2, $3, $4, $5)',
    [sequence, journal, 'erasure_id' in record ? record.erasure_id : null, object, last],
  );
  return { journal, entries: sequence, last };
}

/**
 * Appends an entry, opening the journal where it has none yet; without a record it is only opened. Any number of processes may append: one after another. Returns
 * how far the journal is then. The entry is to be stored by {@link unstoredEntries}.
 */
export async function appendToJournal(
  maintenance: pg.Pool,
  record: JournalRecord | null,
  signingKey: Uint8Array,
  at: Date,
): Promise<JournalHead> {
  const client = await maintenance.connect();
  try {
    await client.query('BEGIN');
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('recollect.erasure-journal', 0))");
    const opened = (await headOf(client, 'true')) ?? (await appendOne(client, { kind: 'opened' }, signingKey, at));
    const head = record === null ? opened : await appendOne(client, record, signingKey, at);
    await client.query('COMMIT');
    return head;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

const objectRows = z.array(z.object({ journal_id: z.string(), sequence: z.int(), object: z.string() }));
/** An entry at its place, with the stored object. */
export interface JournalObject {
  readonly journal: string;
  readonly sequence: number;
  readonly object: string;
}

/** Returns the entries that some store lacks, in order. */
export async function unstoredEntries(maintenance: pg.Pool): Promise<JournalObject[]> {
  const { rows } = await maintenance.query(
    'SELECT journal_id, sequence, object FROM erasure_journal WHERE stored_at IS NULL ORDER BY sequence',
  );
  return objectRows.parse(rows).map(({ journal_id: journal, ...entry }) => ({ journal, ...entry }));
}

/** Records that every store has an entry. */
export async function noteStored(maintenance: pg.Pool, sequence: number): Promise<void> {
  await maintenance.query('UPDATE erasure_journal SET stored_at = now() WHERE sequence = $1', [sequence]);
}

/** Sequence numbers of an erasure's entries; more than one where it began again, or was called off. */
export async function entriesOf(maintenance: pg.Pool, erasureId: string): Promise<JournalObject[]> {
  const { rows } = await maintenance.query(
    'SELECT journal_id, sequence, object FROM erasure_journal WHERE erasure_id = $1 ORDER BY sequence',
    [erasureId],
  );
  return objectRows.parse(rows).map(({ journal_id: journal, ...entry }) => ({ journal, ...entry }));
}

/** Entries per query: an object has some hundred KB at most. */
const ENTRIES_AT_ONCE = 100;

/** Entries that this instance wrote since a time, in order. */
export async function ownEntries(maintenance: pg.Pool, since: Date): Promise<JournalObject[]> {
  const entries: JournalObject[] = [];
  for (let after = 0; ;) {
    const { rows } = await maintenance.query(
      'SELECT journal_id, sequence, object FROM erasure_journal WHERE sequence > $1 AND created_at >= $3 ORDER BY sequence LIMIT $2',
      [after, ENTRIES_AT_ONCE, since],
    );
    const page = objectRows.parse(rows);
    for (const { journal_id: journal, ...entry } of page) entries.push({ journal, ...entry });
    const last = page.at(-1);
    if (last === undefined || page.length < ENTRIES_AT_ONCE) return entries;
    after = last.sequence;
  }
}
