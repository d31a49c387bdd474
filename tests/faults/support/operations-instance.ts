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
import { fillKeep } from '../../bench/operations/fill.ts';
import { createSpeedCorpus } from '../../bench/recall/speed-corpus.ts';
import { soleUser } from '../../bench/recall/speed-fill.ts';
import { randomFrom } from '../../domain/support/random.ts';
import { startEmbeddingsServer } from '../../models/embedding/embeddings-server.ts';
import { startFaultInstance } from './fault-instance.ts';
import type { FaultInstance } from './fault-instance.ts';

const DIMENSION = 384;
const MODEL = 'faults';
/** Texts that differ in more than a number. */
const TEXTS = 1_000;

export interface KeepInstance {
  readonly instance: FaultInstance;
  readonly tenantId: TenantId;
  /** The vector index, asked beside the instance. Closed by `remove`. */
  readonly weaviate: VectorIndex;
  /** Name of the tenant's index. */
  readonly index: string;
  /** Where its sets lie, and the folder of its exports. */
  readonly backups: ArchiveStore;
  readonly archive: string;
  /** A folder of this test alone, whose claude-mem databases may be imported. */
  readonly folder: string;
  remove(): Promise<void>;
}

/**
 * A `recollect up` with a month of sessions in it, so large that every job over it takes some seconds. Texts are embedded by a server of the test:
 * what is imported or restored here needs vectors by the thousand, and the machine is wanted for other things.
 */
export async function startKeepInstance(observations: number, vectors: number): Promise<KeepInstance> {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-faults-keep-'));
  const embeddings = await startEmbeddingsServer({ dimension: DIMENSION });
  const instance = await startFaultInstance({
    RECOLLECT_EMBEDDING_PROVIDER: 'http',
    RECOLLECT_EMBEDDING_URL: embeddings.url,
    RECOLLECT_EMBEDDING_API_KEY: 'embedding-key',
    RECOLLECT_EMBEDDING_MODEL: MODEL,
    RECOLLECT_EMBEDDING_DIMENSION: String(DIMENSION),
    RECOLLECT_CLAUDE_MEM_ROOTS: folder,
    // Nothing but what the test asks for.
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
    await fillKeep(
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
