import type pg from 'pg';
import { z } from 'zod';
import { openCopyClient } from './copy-out.ts';
import { reportProgress } from '../heartbeat.ts';

/** Connections that share one snapshot. */
export interface Snapshot {
  /** For long reads. */
  readonly clients: readonly [pg.Client, pg.Client];
  /** For queries while those are busy. */
  readonly beside: pg.Client;
  readonly at: Date;
  readonly postgresVersion: string;
}

/** Key of the advisory lock that lets one backup run at a time. */
const BACKUP_KEY = 7_020_112_201;
const LOOK_MS = 200;

const lockRow = z.tuple([z.object({ taken: z.boolean() })]);
const snapshotRow = z.tuple([z.object({ id: z.string(), at: z.date(), version: z.string() })]);

async function acquireLock(client: pg.ClientBase, signal: AbortSignal): Promise<void> {
  for (;;) {
    // The backup that has the lock is itself timed out if it hangs.
    reportProgress(signal);
    const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS taken', [BACKUP_KEY]);
    if (lockRow.parse(rows)[0].taken) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Runs `work` under the backup lock, which any other backup process of this database waits for. The lock ends with its connection. */
export async function withBackupLock<Result>(
  url: string,
  connectTimeoutMs: number,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = await openCopyClient(url, connectTimeoutMs);
  try {
    await acquireLock(client, signal);
    return await work(client);
  } finally {
    await client.end();
  }
}

const BEGIN = 'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY';

/** Runs `work` over one read-only snapshot, which `client` exports and two other connections import. */
export async function inSnapshot<Result>(
  client: pg.Client,
  url: string,
  connectTimeoutMs: number,
  work: (snapshot: Snapshot) => Promise<Result>,
): Promise<Result> {
  const others: pg.Client[] = [];
  const join = async (id: string): Promise<pg.Client> => {
    const other = await openCopyClient(url, connectTimeoutMs);
    others.push(other);
    await other.query(BEGIN);
    await other.query(`SET TRANSACTION SNAPSHOT ${other.escapeLiteral(id)}`);
    return other;
  };
  try {
    await client.query(BEGIN);
    const { rows } = await client.query(
      "SELECT pg_export_snapshot() AS id, now() AS at, current_setting('server_version') AS version",
    );
    const [{ id, at, version }] = snapshotRow.parse(rows);
    return await work({ clients: [client, await join(id)], beside: await join(id), at, postgresVersion: version });
  } finally {
    await Promise.all(others.map((other) => other.end()));
  }
}
