import type pg from 'pg';
import { z } from 'zod';
import { needsReseal, seal, SEALED_COLUMNS, sealedColumnOf, SealingError, unseal } from '../../../domain/sealing.ts';
import type { KeyRing } from '../../../domain/sealing.ts';
import { rowOf } from '../connection/rows.ts';

/** Rows of one read. */
const BATCH = 200;
const MAX_FAULTS = 5;

const sealedRow = rowOf({ id: z.string(), tenant_id: z.string().nullable(), sealed: z.instanceof(Uint8Array) });

export interface ResealResult {
  /** Values that were sealed with another key than the first. */
  readonly resealed: number;
  /** Values that do not open: their key is not in the ring, or they were changed. They are left as they are. */
  readonly unreadable: number;
  /** Different reasons, at most five; they contain names of keys and no secret. */
  readonly faults: readonly string[];
}

/**
 * Seals every sealed value of the database with the first key of the ring, one by one, as the maintenance role. A value that changed
 * meanwhile is left to the next run. Repeatable: values under the first key are skipped, so that a run after a kill continues.
 */
export async function resealAll(maintenance: pg.Pool, ring: KeyRing): Promise<ResealResult> {
  let resealed = 0;
  let unreadable = 0;
  const faults = new Set<string>();
  for (const sealedColumn of SEALED_COLUMNS) {
    const { table, column, id, tenant } = sealedColumn;
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const { rows } = await maintenance.query(
        `SELECT ${id} AS id, ${tenant ?? 'NULL::uuid'} AS tenant_id, ${column} AS sealed FROM ${table} WHERE ${id} > $1 ORDER BY ${id} LIMIT $2`,
        [after, BATCH],
      );
      const found = z.array(sealedRow).parse(rows);
      for (const row of found) {
        const place = { column: sealedColumnOf(sealedColumn), tenantId: row.tenantId, rowId: row.id };
        try {
          if (!needsReseal(row.sealed, ring)) continue;
          const renewed = seal(ring, place, unseal(ring, place, row.sealed));
          const { rowCount } = await maintenance.query(
            `UPDATE ${table} SET ${column} = $1 WHERE ${id} = $2 AND ${column} = $3`,
            [renewed, row.id, row.sealed],
          );
          resealed += rowCount ?? 0;
        } catch (error) {
          if (!(error instanceof SealingError)) throw error;
          unreadable += 1;
          if (faults.size < MAX_FAULTS) faults.add(error.message);
        }
      }
      const last = found.at(-1);
      if (last === undefined) break;
      after = last.id;
    }
  }
  return { resealed, unreadable, faults: [...faults] };
}
