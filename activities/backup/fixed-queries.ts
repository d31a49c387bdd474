import type pg from 'pg';
import { z } from 'zod';
import type { Manifest } from './manifest.ts';
import { reportProgress } from '../heartbeat.ts';
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { KEY_BYTES } from '../../domain/backup/set-keys.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import { VALUE_FILTERS } from '../../domain/search-names.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const INFO = 'recollect question words 1';

type Queries = Manifest['queries'];

/** Returns the backup's own key, derived from the key of its files. */
function keyOf(key: Uint8Array, backupId: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, backupId, INFO, KEY_BYTES));
}

/** Encrypts the queries, which contain words of titles, since the manifest is plain: nonce, AES-256-GCM and tag in base64. */
export function sealQueries(queries: Queries, key: Uint8Array, backupId: string): Queries {
  const own = keyOf(key, backupId);
  return queries.map((query) => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', own, nonce);
    const sealed = Buffer.concat([nonce, cipher.update(query.words, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return { ...query, words: sealed.toString('base64') };
  });
}

/** Reverses `sealQueries`. @throws BackupSetError `damaged` */
export function openQueries(queries: Queries, key: Uint8Array, backupId: string): Queries {
  const own = keyOf(key, backupId);
  return queries.map((query) => {
    const sealed = Buffer.from(query.words, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', own, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      const words = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      return { ...query, words: words.toString('utf8') };
    } catch (cause) {
      throw new BackupSetError('damaged', 'the queries of the manifest cannot be decrypted', { cause });
    }
  });
}

/** A query and the result of exact search: memory ids, best first. */
export type FixedQuery = Manifest['queries'][number];
export type FixedQuestion = Omit<FixedQuery, 'found'>;

const MAX_QUERIES = 200;
const MAX_TENANTS = 50;
/** Titles read per kind of memory and tenant. */
const TITLES = 200;
/** Results of one query that are compared. */
const FOUND = 20;
const WORDS = 3;
const WORD = /[\p{L}\p{N}]{4,}/gu;
const MAX_WORD = 60;

const tenantRow = z.object({ id: z.string() });
const titleRow = z.object({ title: z.string() });
const foundRow = z.object({ memory_id: z.string() });

/** Titles of a tenant's newest summaries, learnings and observations in turn, ordered by the rows alone. */
const TITLES_OF_TENANT = `
  SELECT title FROM (
    (SELECT title, row_number() OVER (ORDER BY id DESC) AS place, 1 AS kind FROM summaries WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2)
    UNION ALL
    (SELECT title, row_number() OVER (ORDER BY id DESC), 2 FROM learnings WHERE tenant_id = $1 ORDER BY id DESC LIMIT $2)
    UNION ALL
    (SELECT title, row_number() OVER (ORDER BY id DESC), 3 FROM (
       SELECT o.id, o.title FROM (SELECT id FROM sessions WHERE tenant_id = $1 ORDER BY id DESC LIMIT 20) AS s
        CROSS JOIN LATERAL (SELECT id, title FROM observations WHERE session_id = s.id ORDER BY seq DESC LIMIT 50) AS o) AS newest
      ORDER BY id DESC LIMIT $2)
  ) AS titles ORDER BY place, kind`;

/** Returns the longest words of a title, which are mostly the rarest. */
function wordsOf(title: string): string {
  const words = [...new Set((title.match(WORD) ?? []).map((word) => word.slice(0, MAX_WORD)))];
  return words
    .toSorted((a, b) => b.length - a.length)
    .slice(0, WORDS)
    .join(' ');
}

/** Returns up to 200 queries from the words of titles; the same rows give the same queries. The client has the maintenance role. */
export async function createFixedQueries(client: pg.ClientBase): Promise<FixedQuestion[]> {
  const tenants = z
    .array(tenantRow)
    .parse((await client.query('SELECT id FROM tenants ORDER BY created_at, id LIMIT $1', [MAX_TENANTS])).rows);
  const perTenant: FixedQuestion[][] = [];
  for (const { id } of tenants) {
    const { rows } = await client.query(TITLES_OF_TENANT, [id, TITLES]);
    const words = new Set(
      z
        .array(titleRow)
        .parse(rows)
        .map(({ title }) => wordsOf(title)),
    );
    perTenant.push([...words].filter((text) => text !== '').map((text) => ({ tenantId: id, words: text })));
  }
  // In turn, so that a tenant with many titles does not crowd out the others.
  const longest = Math.max(0, ...perTenant.map((questions) => questions.length));
  return Array.from({ length: longest }, (_, place) => perTenant.flatMap((questions) => questions[place] ?? []))
    .flat()
    .slice(0, MAX_QUERIES);
}

const VALUES = VALUE_FILTERS.map((name) => `of_${name} => NULL`).join(', ');
const SEARCH = `SELECT memory_id FROM search_keyword(for_tenant => $1, viewer => NULL, query_text => $2, types => NULL, of_project => NULL, of_session => NULL, except_session => NULL, in_namespace => NULL, ${VALUES}, with_tags => NULL, since => NULL, until => NULL, as_of => NULL, phrases => NULL, files => NULL, at_most => $3)`;

export interface QueryPace {
  /** Total time of all queries, milliseconds; the last ones may be skipped, none is interrupted. */
  readonly boundMs: number;
  /** Awaited before each query, and not counted. */
  readonly pace: () => Promise<void>;
  readonly signal?: AbortSignal;
}

const AT_ONCE: QueryPace = { boundMs: Infinity, pace: () => Promise.resolve() };

/** Runs exact keyword search for each query, in order. The client has the maintenance role. */
export async function answerFixedQueries(
  client: pg.ClientBase,
  questions: readonly FixedQuestion[],
  { boundMs, pace, signal }: QueryPace = AT_ONCE,
): Promise<FixedQuery[]> {
  let elapsedMs = 0;
  const answered: FixedQuery[] = [];
  for (const { tenantId, words } of questions) {
    if (elapsedMs > boundMs) break;
    await pace();
    reportProgress(signal);
    const startedAt = performance.now();
    const { rows } = await client.query(SEARCH, [tenantId, words, FOUND]);
    elapsedMs += performance.now() - startedAt;
    answered.push({
      tenantId,
      words,
      found: z
        .array(foundRow)
        .parse(rows)
        .map((row) => row.memory_id),
    });
  }
  return answered;
}
