import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { expect } from 'vitest';
import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import { exportEnd, tableOfLine } from '../../../activities/export-import/lines.ts';
import { until } from '../../setup/until.ts';
import { chunkOf } from '../../stores/weaviate/chunks.ts';
import type { OperationsInstance } from './operations-instance.ts';
import { request, done, JOBS, readJob } from './operations-jobs.ts';
import type { ApiTarget, JobRow } from './operations-jobs.ts';

const VERIFIED_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Verifies a backup by reading it back, and asserts that it is intact. */
export async function expectVerified(instance: ApiTarget, backupId: string): Promise<void> {
  const before = (await readJob(instance, JOBS.backup, backupId))?.['verified_at'] ?? null;
  expect(await request(instance, 'POST', `/admin/backups/${backupId}/verify`)).toMatchObject({ status: 202 });
  const row = await until(
    async () => {
      const now = await readJob(instance, JOBS.backup, backupId);
      return now !== undefined && (now['verified_at'] !== before || now['verify_error'] !== null) ? now : undefined;
    },
    VERIFIED_MS,
    'the backup to be read back',
  );
  expect(row).toMatchObject({ complete: true, verified_how: 'read', verify_error: null });
}

/** Removes objects from the index and adds others that are not in the ledger, bypassing the instance. */
export async function breakIndex(
  operations: OperationsInstance,
  broken: { readonly missing: number; readonly orphaned: number },
): Promise<void> {
  const { instance, weaviate, tenantId, index } = operations;
  const rows = await instance.query<{ resource_id: string; object_id: string }>(
    "SELECT resource_id, object_id FROM embeddings WHERE state = 'indexed' AND chunk = 0 AND session_id IN (SELECT id FROM sessions WHERE host = 'bench') ORDER BY md5(resource_id::text || $1) LIMIT $2",
    [newId(), broken.missing + broken.orphaned],
  );
  const vectors = await weaviate.vectorsOf(
    tenantId,
    index,
    rows.map((row) => row.object_id),
  );
  const [vector] = vectors.values();
  if (vector === undefined) throw new Error('the index has no vectors');
  await weaviate.remove(
    tenantId,
    index,
    rows.slice(0, broken.missing).map((row) => row.resource_id),
  );
  const refused = await weaviate.upsert(
    tenantId,
    index,
    Array.from({ length: broken.orphaned }, () =>
      chunkOf(
        tenantId,
        { occurredAt: new Date(Date.now() - HOUR_MS).toISOString(), vector: Float32Array.from(vector) },
        index,
      ),
    ),
  );
  expect(refused).toEqual([]);
}

/** Returns true if a non-empty file is being written to the archive store. */
export function isWriting({ archive }: OperationsInstance): boolean {
  try {
    const folder = path.join(archive, '.unfinished');
    return readdirSync(folder).some((name) => statSync(path.join(folder, name)).size > 0);
  } catch {
    // Nothing was written yet, or the file was completed meanwhile.
    return false;
  }
}

const exported = z.object({ sha256: z.string(), bytes: z.number(), rows: z.record(z.string(), z.number()) });

/** Downloads an export, asserts that it is complete and has the reported counts; returns it with the rows by table. */
export async function expectCompleteExport(
  instance: ApiTarget,
  row: JobRow,
): Promise<{ readonly file: Buffer; readonly rows: Readonly<Record<string, number>> }> {
  const reported = exported.parse(row);
  const { url, apiKey } = instance.credentials;
  const answer = await fetch(`${url}/api/v1/exports/${row.id}/file`, {
    headers: { authorization: `Bearer ${apiKey}` },
  });
  const file = Buffer.from(await answer.arrayBuffer());
  expect([file.byteLength, createHash('sha256').update(file).digest('hex')]).toEqual([reported.bytes, reported.sha256]);
  const lines = zstdDecompressSync(file).toString('utf8').trimEnd().split('\n');
  const last = exportEnd.parse(JSON.parse(lines.at(-1) ?? ''));
  const before = lines.slice(0, -1);
  const hash = createHash('sha256');
  const rows: Record<string, number> = {};
  for (const line of before) {
    hash.update(`${line}\n`);
    const table = tableOfLine(line);
    if (table !== null) rows[table] = (rows[table] ?? 0) + 1;
  }
  expect(last.end.sha256).toBe(hash.digest('hex'));
  expect({ ...last.end.rows }).toEqual(rows);
  expect(reported.rows).toEqual(rows);
  return { file, rows };
}

/**
 * Runs a consistency check without repair; asserts that it finds nothing. A killed Weaviate may lose vectors from the end of its graph's log: after
 * its end a check writes again those that are not found, and asserts that nothing else is wrong.
 */
export async function expectNothingFound({ instance }: OperationsInstance, killed: string): Promise<void> {
  const found = async (repair: boolean) => {
    const row = await done(instance, JOBS.check, { repair });
    return z.object({ found: z.record(z.string(), z.number()), remaining: z.number() }).parse(row);
  };
  if (killed === 'weaviate') {
    const lost = await found(true);
    expect(lost).toEqual({
      found: lost.found['unfindable'] === undefined ? {} : { unfindable: expect.any(Number) },
      remaining: 0,
    });
  }
  expect(await found(false)).toEqual({ found: {}, remaining: 0 });
}
