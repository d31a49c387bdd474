import type { TenantId } from '../../../domain/ids.ts';
import { modelOfIndex } from '../../../domain/index-model.ts';
import type { IndexModel } from '../../../domain/index-model.ts';
import { EmbedderUnavailable } from '../../../domain/ports/embedder.ts';
import type { Embedder, Embedders, ServedIndex, ServedIndexOf } from '../../../domain/ports/embedder.ts';
import type { Database } from '../connection/database.ts';
import { readIndexes } from './embedding-indexes.ts';

/** A retired index remains for at least ten seconds, so that processes may learn of the switch late. */
const FRESH_MS = 2_000;
/** Until this age the last known index is returned while it is read again; after it, callers wait. */
const KNOWN_MS = 6_000;
const MAX_TENANTS = 10_000;

/** Replaces the embedder of a model that is not configured. */
function absentEmbedder({ name, dimension }: IndexModel): Embedder {
  return {
    model: modelOfIndex(name),
    dimension,
    embed: () => Promise.reject(new EmbedderUnavailable('no setting names the model of the index that is served')),
    calibration: null,
    likeness: (cosine) => cosine,
    ready: () => Promise.resolve(false),
    close: () => Promise.resolve(),
  };
}

/**
 * Returns a function for the served index of a tenant, which queries the database every few seconds at most. If the database does not respond, the
 * last known index applies, or the configured one.
 */
export function createServedIndexOf(database: Database, embedders: Embedders, wanted: IndexModel): ServedIndexOf {
  const known = new Map<TenantId, { readonly served: ServedIndex; readonly readAt: number }>();
  const reading = new Map<TenantId, Promise<ServedIndex>>();

  const read = async (tenantId: TenantId): Promise<ServedIndex> => {
    const serving = (await database.readAsTenant(tenantId, readIndexes))?.serving ?? wanted;
    const embedder = embedders.of(modelOfIndex(serving.name)) ?? absentEmbedder(serving);
    const served = { name: serving.name, embedder };
    if (known.size >= MAX_TENANTS) known.clear();
    known.set(tenantId, { served, readAt: performance.now() });
    return served;
  };

  return async (tenantId) => {
    const last = known.get(tenantId);
    const ageMs = last === undefined ? Infinity : performance.now() - last.readAt;
    if (last !== undefined && ageMs < FRESH_MS) return last.served;
    const now = reading.get(tenantId) ?? read(tenantId).finally(() => reading.delete(tenantId));
    reading.set(tenantId, now);
    // Refreshed in the background.
    if (last !== undefined && ageMs < KNOWN_MS) {
      now.catch(() => undefined);
      return last.served;
    }
    return now.catch(
      () =>
        last?.served ?? {
          name: wanted.name,
          embedder: embedders.of(modelOfIndex(wanted.name)) ?? embedders.wanted,
        },
    );
  };
}
