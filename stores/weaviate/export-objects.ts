import { pagesAhead } from '../../domain/consistency/merge.ts';
import type { ExportedObject } from '../../domain/ports/vector-index.ts';
import { NotThere, type WeaviateConnection } from './connection.ts';
import { decodePage, encodePage } from './messages.ts';

/** Objects per response: some 3 KB each, 14 KB at 3,072 dimensions. */
const PAGE_OBJECTS = 500;

/**
 * Yields all objects of a tenant, page by page in the order of their ids; each page is read while the previous one is used. None for a missing tenant or
 * collection. Vectors have their binary form: as JSON an object took three times as long, mostly for garbage collection.
 */
export async function* exportObjects(
  connection: Pick<WeaviateConnection, 'page'>,
  of: { readonly collection: string; readonly tenant: string },
  signal: AbortSignal,
): AsyncGenerator<readonly ExportedObject[]> {
  const read = async (after: string | null): Promise<ExportedObject[]> => {
    signal.throwIfAborted();
    try {
      return decodePage(await connection.page(encodePage({ ...of, after, limit: PAGE_OBJECTS })));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NotThere) return [];
      throw error;
    }
  };
  // To the first page with nothing in it.
  for await (const objects of pagesAhead(read, ({ objectId }) => objectId, null, 1)) {
    signal.throwIfAborted();
    if (objects.length > 0) yield objects;
  }
}
