import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TenantId } from '../../../domain/ids.ts';
import { indexNameOf } from '../../../domain/index-model.ts';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import type { VectorIndex } from '../../../domain/ports/vector-index.ts';
import { createDirectoryArchive } from '../../../stores/archive/directory.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { fillInstance } from '../../bench/operations/fill.ts';
import { createSpeedCorpus } from '../../bench/recall/speed-corpus.ts';
import { soleUser } from '../../bench/recall/speed-fill.ts';
import { randomFrom } from '../../domain/support/random.ts';
import { startEmbeddingsServer } from '../../models/embedding/embeddings-server.ts';
import { startFaultInstance } from './fault-instance.ts';
import type { FaultInstance } from './fault-instance.ts';

const DIMENSION = 384;
const MODEL = 'faults';
/** Number of distinct texts. */
const TEXTS = 1_000;

export interface OperationsInstance {
  readonly instance: FaultInstance;
  readonly tenantId: TenantId;
  /** Direct access to the vector index. `remove` closes it. */
  readonly weaviate: VectorIndex;
  /** Name of the tenant's index. */
  readonly index: string;
  /** The store of its backups, and the folder of its exports. */
  readonly backups: ArchiveStore;
  readonly archive: string;
  /** Temporary folder from which claude-mem databases may be imported. */
  readonly folder: string;
  remove(): Promise<void>;
}

/**
 * Starts `recollect up` with a month of sessions, so many that every job takes some seconds. A server of the test embeds texts: imports and
 * restores need thousands of vectors, which a real model would compute for minutes.
 */
export async function startOperationsInstance(observations: number, vectors: number): Promise<OperationsInstance> {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-faults-operations-'));
  const embeddings = await startEmbeddingsServer({ dimension: DIMENSION });
  const instance = await startFaultInstance({
    RECOLLECT_EMBEDDING_PROVIDER: 'http',
    RECOLLECT_EMBEDDING_URL: embeddings.url,
    RECOLLECT_EMBEDDING_API_KEY: 'embedding-key',
    RECOLLECT_EMBEDDING_MODEL: MODEL,
    RECOLLECT_EMBEDDING_DIMENSION: String(DIMENSION),
    // The filled vectors include texts with addresses.
    RECOLLECT_MODEL_MAX_CLASS: 'confidential',
    RECOLLECT_CLAUDE_MEM_ROOTS: folder,
    // Only jobs that the test requests.
    RECOLLECT_SCHEDULES_PAUSED: 'backup,restore-drill,retention,consistency',
  });
  const weaviate = createWeaviateIndex(instance.weaviate);
  const remove = async (): Promise<void> => {
    await weaviate.close();
    await instance.remove();
    await embeddings.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const index = indexNameOf(`${MODEL}-${DIMENSION}d`);
  const database = new pg.Pool({ connectionString: instance.databaseUrl, max: 2 });
  const random = randomFrom(11);
  const anywhere = (): Float32Array => {
    const vector = Float32Array.from({ length: DIMENSION }, () => random() - 0.5);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  };
  const user = await soleUser(database);
  try {
    await fillInstance(
      { ...user, database, model: index, dimension: DIMENSION, observations, vectors, texts: TEXTS },
      weaviate,
      createSpeedCorpus(),
      (texts) => Promise.resolve(texts.map(anywhere)),
      () => undefined,
    );
  } catch (error) {
    await remove();
    throw error;
  } finally {
    await database.end();
  }
  return {
    instance,
    tenantId: user.tenantId,
    weaviate,
    index,
    backups: createDirectoryArchive(path.join(instance.dataDir, 'backups')),
    archive: path.join(instance.dataDir, 'archive'),
    folder,
    remove,
  };
}
