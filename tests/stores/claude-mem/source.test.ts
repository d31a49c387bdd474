import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CLAUDE_MEM_TABLES } from '../../../domain/claude-mem/rows.ts';
import { parseRows } from '../../../stores/claude-mem/row-schemas.ts';
import { FIRST_PAGE, openClaudeMem } from '../../../stores/claude-mem/source.ts';
import type { ClaudeMemSource } from '../../../stores/claude-mem/source.ts';
import { buildClaudeMem, GENERATIONS } from '../../claude-mem/build-database.ts';
import { insertSample } from '../../claude-mem/sample-rows.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'recollect-test-source-'));
// Searches for copies where no other test creates any.
beforeAll(() => vi.stubEnv('TMPDIR', folder));
afterAll(() => {
  vi.unstubAllEnvs();
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true, force: true });
});

/** Bytes and times of a database and all files beside it. */
function fingerprint(file: string): unknown {
  const beside = readdirSync(path.dirname(file)).filter((name) => name.startsWith(path.basename(file)));
  return beside.toSorted().map((name) => {
    const at = path.join(path.dirname(file), name);
    return [name, readFileSync(at).toString('base64'), statSync(at).mtimeMs];
  });
}

function allRows(source: ClaudeMemSource, table: (typeof CLAUDE_MEM_TABLES)[number], limit: number) {
  const rows: Record<string, unknown>[] = [];
  let source_rows = 0;
  for (let after: number | null = FIRST_PAGE; after !== null;) {
    const page = source.page(table, after, limit);
    rows.push(...page.rows);
    source_rows += page.source_rows;
    after = page.nextAfter;
  }
  return { rows: [...parseRows(table, rows).rows], source_rows };
}

test.each(GENERATIONS)('a database of version %i is read completely, page by page', async (generation) => {
  const file = path.join(folder, `v${generation}.db`);
  const database = buildClaudeMem(file, generation);
  insertSample(database, 's');
  database.close();
  const source = await openClaudeMem(file);
  try {
    expect(source.schemaVersion).toBe(generation);
    for (const table of CLAUDE_MEM_TABLES) {
      const pages = allRows(source, table, 2);
      expect(pages).toEqual(allRows(source, table, 100));
      expect(pages.rows).toHaveLength(source.totals[table]);
      expect(pages.source_rows).toBe(source.totals[table]);
    }
    const observations = allRows(source, 'observations', 1).rows;
    expect(observations[0]).toMatchObject({
      content_session_id: 's-1',
      memory_session_id: 's-memory-1',
      session_project: 'shop',
      text: 'Legacy words 1 of the turbocart',
      title: generation === 4 ? null : 'Finding 1',
      content_hash: generation < 22 ? null : 'hash-1',
      generated_by_model: generation < 33 ? null : 'claude-haiku',
      platform_source: generation < 33 ? null : 'claude',
    });
    expect(observations[3]).toMatchObject({ content_session_id: null, memory_session_id: 's-deleted' });
    const column = (table: (typeof CLAUDE_MEM_TABLES)[number], name: string) =>
      allRows(source, table, 1).rows.map((row) => new Map<string, unknown>(Object.entries(row)).get(name));
    // Of a response with two observations and a summary one row bears the cost; version 4 knew of no costs.
    const isOld = generation === 4;
    expect(column('observations', 'bears_cost').slice(0, 4)).toEqual(isOld ? [0, 0, 0, 0] : [1, 0, 1, 1]);
    expect(column('session_summaries', 'bears_cost')).toEqual(isOld ? [0, 0, 0] : [0, 1, 1]);
    expect(column('sdk_sessions', 'has_first_prompt')).toEqual(isOld ? [0, 0, 0, 0, 0, 0] : [1, 0, 0, 0, 0, 1]);
  } finally {
    await source.close();
  }
});

test('what is committed beside a database that is in use is seen, and nothing of it is touched, in a folder that cannot be written to, too', async () => {
  const home = mkdtempSync(path.join(folder, 'live-'));
  const file = path.join(home, 'claude-mem.db');
  const database = buildClaudeMem(file, 49);
  database.exec('PRAGMA wal_autocheckpoint = 0');
  insertSample(database, 'live');
  for (const name of readdirSync(home)) utimesSync(path.join(home, name), 1_700_000_000, 1_700_000_000);
  chmodSync(home, 0o555);
  try {
    const before = fingerprint(file);
    const source = await openClaudeMem(file);
    expect(allRows(source, 'observations', 3).rows).toHaveLength(7);
    const print = source.fingerprint;
    // Without a name: nothing is left where the process is killed.
    expect(readdirSync(folder).filter((name) => name.startsWith('recollect-claude-mem-'))).toEqual([]);
    await source.close();
    expect(fingerprint(file)).toEqual(before);
    chmodSync(home, 0o755);
    database.insert('observations', [{ id: 90, memory_session_id: 'x', text: 'later' }]);
    const later = await openClaudeMem(file);
    expect([later.fingerprint, later.totals.observations]).toEqual([print, 8]);
    await later.close();
  } finally {
    chmodSync(home, 0o755);
    database.close();
  }
});

test('what is no database of claude-mem is refused by a reason without its content', async () => {
  const text = path.join(folder, 'text.db');
  writeFileSync(text, 'this is no database, and long enough to be one');
  await expect(openClaudeMem(text)).rejects.toMatchObject({
    code: 'NO_DATABASE',
    message: 'the file is no SQLite database',
  });
  await expect(openClaudeMem(path.join(folder, 'absent.db'))).rejects.toMatchObject({ code: 'MISSING' });
  const other = path.join(folder, 'other.db');
  const database = buildClaudeMem(other, 4);
  database.exec('DROP TABLE sdk_sessions');
  database.close();
  await expect(openClaudeMem(other)).rejects.toMatchObject({ code: 'NO_DATABASE' });
});
