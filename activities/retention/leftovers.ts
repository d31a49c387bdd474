import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { fullValueKey } from '../../domain/ports/object-store.ts';
import {
  endExpiredValue,
  expiredFullValues,
  spareNamedValues,
} from '../../stores/postgres/retention/expired-full-values.ts';
import type { ExpiredValue } from '../../stores/postgres/retention/expired-full-values.ts';
import { pruneGraph } from '../../stores/postgres/graph/graph-writes.ts';
import { tryHintIndex } from '../try-hint-index.ts';
import { reportProgress } from '../heartbeat.ts';
import type pg from 'pg';
import type { IndexModel } from '../../domain/index-model.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';

export interface RetentionDependencies {
  readonly database: Database;
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  /** Null: sessions are not archived and remain. */
  readonly archives: ArchiveStore | null;
  /** Full values; null if none are stored. */
  readonly objects: ObjectStore | null;
  readonly hints: WorkflowHints;
  /** The configured index. */
  readonly embeddingModel: IndexModel;
  readonly clock: Clock;
}

/** An item of a tenant, by id or hash. */
export interface OfTenant {
  readonly tenant: string;
  readonly id: string;
}

/** Graph nodes per transaction. */
const NAMES_AT_ONCE = 500;

function idsByTenant(items: readonly OfTenant[]): ReadonlyMap<string, readonly string[]> {
  const byTenant = Map.groupBy(items, ({ tenant }) => tenant);
  return new Map([...byTenant].map(([tenant, named]) => [tenant, named.map(({ id }) => id)]));
}

/** Full values per statement, which reads the long texts of their tenant. */
const VALUES_AT_ONCE = 10_000;

/** Deletes full values of expired rows that no remaining row or archive uses. Values that cannot be deleted now remain queued for the next run. */
export async function dropExpiredValues(
  { maintenance, objects }: RetentionDependencies,
  signal: AbortSignal,
): Promise<void> {
  if (objects === null) return;
  for (let after: ExpiredValue | null = null; ;) {
    reportProgress(signal);
    const values: ExpiredValue[] = await expiredFullValues(maintenance, after, VALUES_AT_ONCE);
    const last = values.at(-1);
    if (last === undefined) return;
    const { tenant } = last;
    const hashes = values.map(({ sha256 }) => sha256);
    const spared = await spareNamedValues(maintenance, tenant, hashes);
    for (const sha256 of hashes) {
      if (spared.has(sha256)) continue;
      reportProgress(signal);
      await objects.delete(fullValueKey(tenant, sha256));
      await endExpiredValue(maintenance, { tenant, sha256 });
    }
    after = last;
  }
}

/** Recalculates graph nodes and edges that lost mentions and removes those without any. Repeatable. */
export async function weighGraph(
  { database }: RetentionDependencies,
  entities: readonly OfTenant[],
  relations: readonly OfTenant[],
): Promise<void> {
  const named = idsByTenant(entities);
  const related = idsByTenant(relations);
  for (const tenant of new Set([...named.keys(), ...related.keys()])) {
    const names = [...new Set(named.get(tenant))];
    const edges = [...new Set(related.get(tenant))];
    for (let from = 0; from < Math.max(names.length, edges.length); from += NAMES_AT_ONCE) {
      const to = from + NAMES_AT_ONCE;
      await database.asTenant(asId(tenant), (transaction) =>
        pruneGraph(transaction, names.slice(from, to).toSorted(), edges.slice(from, to).toSorted()),
      );
    }
  }
}

/** Hints the index workflows to remove vectors; the sweep resends lost hints. */
export async function hintAll({ hints }: RetentionDependencies, tenants: Iterable<string>): Promise<void> {
  for (const tenant of new Set(tenants)) await tryHintIndex(hints, asId<TenantId>(tenant));
}
