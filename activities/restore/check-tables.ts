import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Manifest } from '../backup/manifest.ts';
import { answerFixedQueries } from '../backup/fixed-queries.ts';
import { copyOut, fileQuery, openCopyClient } from '../backup/copy-out.ts';
import { sideBySide } from '../../domain/side-by-side.ts';
import { atDatabase } from '../../prisma/migration-adapter.ts';
import { asOwner } from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreServer } from '../../stores/postgres/backups/restored-database.ts';
import { reportProgress } from '../heartbeat.ts';

/** Connections that compare in parallel. */
const AT_ONCE = 2;
const CONNECT_MS = 10_000;

/** Comparison of a restored database with its backup. */
export interface TablesCheck {
  readonly tables: number;
  readonly rows: number;
  readonly files: number;
  /** Files whose rows, copied out again, differ in number or SHA-256. */
  readonly different: readonly string[];
}

interface Part {
  readonly table: Manifest['tables'][number];
  readonly file: Manifest['tables'][number]['files'][number];
}

/** Copies every row out again in the backup's format and compares number and SHA-256. */
export async function checkTables(
  server: RestoreServer,
  database: string,
  { tables }: Manifest,
  signal: AbortSignal,
): Promise<TablesCheck> {
  const waiting: Part[] = tables.flatMap((table) => table.files.map((file) => ({ table, file })));
  const files = waiting.length;
  const different: string[] = [];
  let rows = 0;
  const work = async (either: AbortSignal): Promise<void> => {
    const client = await openCopyClient(atDatabase(server.maintenanceUrl, database), CONNECT_MS);
    try {
      for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
        reportProgress(either);
        const { table, file } = part;
        const hash = createHash('sha256');
        const copied = copyOut(client, fileQuery(table, file));
        for await (const piece of copied) {
          reportProgress();
          hash.update(piece);
        }
        const count = await copied.count();
        rows += count;
        if (count !== file.rows || hash.digest('hex') !== file.plainSha256) different.push(file.key);
      }
    } finally {
      await client.end();
    }
  };
  await sideBySide(
    signal,
    Array.from({ length: AT_ONCE }, () => work),
  );
  return { tables: tables.length, rows, files, different };
}

export interface QueriesCheck {
  readonly asked: number;
  readonly different: number;
}

/** Repeats the backup's fixed queries and counts those with different results. */
export async function checkQueries(
  server: RestoreServer,
  database: string,
  { queries }: Manifest,
): Promise<QueriesCheck> {
  const client = await openCopyClient(atDatabase(server.maintenanceUrl, database), CONNECT_MS);
  try {
    const answered = await answerFixedQueries(client, queries);
    const different = queries.filter(({ found }, n) => found.join() !== answered[n]?.found.join()).length;
    return { asked: queries.length, different };
  } finally {
    await client.end();
  }
}

const countRow = z.tuple([z.object({ all: z.number(), invalid: z.number() })]);

/** Counts the foreign keys of the database, and those not validated against every row. */
export async function checkForeignKeys(
  server: RestoreServer,
  database: string,
): Promise<{ readonly all: number; readonly invalid: number }> {
  return asOwner(server, database, async (owner) => {
    const { rows } = await owner.query(
      `SELECT count(*)::integer AS all, (count(*) FILTER (WHERE NOT convalidated))::integer AS invalid
         FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace`,
    );
    return countRow.parse(rows)[0];
  });
}
