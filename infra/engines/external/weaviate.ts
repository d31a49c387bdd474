import type { Config } from '../../../config/config.ts';
import { failureReason } from '../../../domain/failure-reason.ts';
import { createConnection } from '../../../stores/weaviate/connection.ts';
import { WEAVIATE } from '../pinned.ts';
import { TIMEOUT_SECONDS, unreachable } from './engine-finding.ts';
import type { EngineFinding } from './engine-finding.ts';
import { comparedWithPinned } from './temporal.ts';

const REFUSED = /\b(?:401|403)\b|unauthori[sz]ed|forbidden|anonymous access/i;

const adviceOf = (error: unknown): string | null =>
  REFUSED.test(failureReason(error))
    ? 'Check RECOLLECT_WEAVIATE_API_KEY: Weaviate must list it in AUTHENTICATION_APIKEY_ALLOWED_KEYS, with rights to write.'
    : null;

/**
 * Checks connection, key and version. The client's first connection checks REST and gRPC with the key, but its errors omit the reason of a
 * failed REST request. Changes nothing; never rejects.
 */
export async function checkWeaviate({ weaviate }: Config): Promise<EngineFinding[]> {
  const timeoutsSeconds = { connect: TIMEOUT_SECONDS, query: TIMEOUT_SECONDS, insert: TIMEOUT_SECONDS };
  const connection = createConnection({ ...weaviate, timeoutsSeconds });
  try {
    await connection.ping();
    const version = await connection.run(async (client) => {
      // A list of collections needs the key, unlike the connection.
      await client.collections.listAll();
      return client.getWeaviateVersion();
    });
    return [
      {
        name: 'Weaviate',
        result: 'ok',
        text: `reachable, ${weaviate.url.startsWith('https:') ? 'TLS' : 'without TLS'}`,
      },
      comparedWithPinned('Weaviate version', version.show(), WEAVIATE.version),
    ];
  } catch (error) {
    return [unreachable('Weaviate', error, adviceOf)];
  } finally {
    await connection.close();
  }
}
