import { hash } from 'node:crypto';
import { findTenant } from '../../stores/postgres/access/identities.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';

const ID_CHARS = 16;

/**
 * Returns the look-up of the id of the instance: a hash of the id of the operators' tenant, the same in every process of the api. It distinguishes
 * instances and gives no access. Rejects while PostgreSQL is unavailable.
 */
export function createInstanceId(database: Database): () => Promise<string> {
  let known: Promise<string> | null = null;
  const forget = (): void => {
    known = null;
  };
  // The next connection may lead to another database, which a restore put in place.
  database.pool.on('remove', forget);
  return async () => {
    known ??= findTenant(database, null).then((id) => {
      // The first start creates the tenant later.
      if (id === null) forget();
      return hash('sha256', `recollect instance ${id ?? ''}`, 'hex').slice(0, ID_CHARS);
    });
    try {
      return await known;
    } catch (error) {
      forget();
      throw error;
    }
  };
}
