import { chmodSync, mkdirSync } from 'node:fs';
import { loadavg } from 'node:os';
import { indexNameOf } from '../../../domain/index-model.ts';
import { collectionName } from '../../../stores/weaviate/schema.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { startBenchInstance } from '../capture/bench-instance.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { cpuByService, cpuPerEvent } from '../capture/cpu.ts';
import { memoryOf } from '../process-tree.ts';
import type { RecallFigures } from '../figures.ts';
import { createSpeedCorpus } from './speed-corpus.ts';
import { soleUser, writeMemories, writeSessions } from './speed-fill.ts';
import type { FillTarget } from './speed-fill.ts';
import { apiSearches, bareSearches, emptyRequests, figuresOf, stageCounts, stageMedians } from './speed-searches.ts';
import type { Timings } from './speed-searches.ts';
import { awaitQueue, connectBare } from './speed-weaviate.ts';
import { whileIndexing } from './speed-writing.ts';
import { option, say } from '../command-line.ts';
import { benchEmbedder } from '../embedder.ts';

/** Without a million memories: filling them takes over an hour on two cores, and HNSW 3 GB. */
const SIZES = [1_000, 10_000, 100_000];
const FILL_BATCH = 1_000;
/** Queries per round; api and bare Weaviate alternate, so that a noisy minute affects both. */
const ROUND = Number(option('round') ?? 150);
const ROUNDS = 4;
const WARM_UP = 100;
const CLIENTS = 8;
const INDEXED_PER_SECOND = 100;
const INDEX_TIMEOUT_MS = 1_800_000;

/** By size; in milliseconds. */
const TARGETS: Readonly<Record<number, { readonly p50: number; readonly p95: number }>> = {
  10_000: { p50: 15, p95: 35 },
  100_000: { p50: 20, p95: 50 },
};
const INDEXING_P95_MS = 150;
const LEAST_SHARE_OF_BARE = 0.6;

function pidsOf(instance: BenchInstance): ReadonlyMap<string, number> {
  return new Map(['api', 'worker', 'postgres', 'temporal', 'weaviate'].map((name) => [name, instance.pid(name)]));
}

/** Opens a corpus in an instance, with its queries. */
async function openBench(instance: BenchInstance) {
  const embedder = benchEmbedder({ threads: 2 });
  const { database, weaviate } = instance;
  const model = indexNameOf(embedder.model);
  const { dimension } = embedder;
  const target: FillTarget = { ...(await soleUser(database)), database, model, dimension };
  const vectors = createWeaviateIndex(weaviate);
  const bare = await connectBare(weaviate);
  const corpus = createSpeedCorpus();
  let anchorVectors: readonly Float32Array[] = [];
  let generated = 0;

  const stored = async (): Promise<number> => {
    const { rows } = await database.query<{ stored: number }>('SELECT count(*)::integer AS stored FROM embeddings');
    return rows[0]?.stored ?? 0;
  };
  const embedAnchors = async (): Promise<void> => {
    if (anchorVectors.length > 0) return;
    say(`embedding ${corpus.anchors.length} sentences`);
    anchorVectors = await embedder.embed(corpus.anchors, 'passage');
  };
  const nextQuestions = (count: number): string[] => {
    // Every run uses new queries: the api caches query vectors.
    generated += count;
    return Array.from({ length: count }, (_, n) => corpus.question((Date.now() % 1_000_000_000) + generated + n));
  };
  const rounds = async (
    count: number,
    clients: number,
  ): Promise<{ readonly api: Timings[]; readonly bare: Timings[] }> => {
    const taken = { api: new Array<Timings>(), bare: new Array<Timings>() };
    for (let round = 0; round < ROUNDS; round += 1) {
      const questions = nextQuestions(count);
      const embedded = await embedder.embed(questions, 'query');
      const known = new Map(questions.map((question, n) => [question, [...(embedded[n] ?? [])]]));
      taken.api.push(await apiSearches(instance, questions, clients));
      taken.bare.push(
        await bareSearches(bare, target.tenantId, known, questions, clients, collectionName('RecollectChunk', model)),
      );
    }
    return taken;
  };

  return {
    async fill(size: number): Promise<void> {
      const from = await stored();
      if (from >= size) return;
      await embedAnchors();
      await vectors.ensureCollection(model, dimension);
      await writeSessions(target, from, size);
      const started = performance.now();
      for (let first = from; first < size; first += FILL_BATCH) {
        const count = Math.min(FILL_BATCH, size - first);
        const memories = Array.from({ length: count }, (_, n) => corpus.memory(first + n, anchorVectors));
        await writeMemories(target, vectors, memories, first);
        if ((first + count) % 10_000 === 0)
          say(`${first + count} memories after ${Math.round((performance.now() - started) / 1_000)} s`);
      }
      await database.query('VACUUM ANALYZE');
      await awaitQueue(weaviate, INDEX_TIMEOUT_MS);
      say(`filled in ${Math.round((performance.now() - started) / 1_000)} s`);
    },
    async settled() {
      await apiSearches(instance, nextQuestions(WARM_UP), 1);
      await apiSearches(instance, nextQuestions(WARM_UP), CLIENTS);
      await rounds(10, 1);
      const empty = figuresOf([await emptyRequests(instance, ROUND)]);
      const before = { stages: await stageCounts(instance), cpu: cpuByService(instance) };
      const alone = figuresOf([await apiSearches(instance, nextQuestions(ROUND), 1)]);
      const cpu = cpuPerEvent(before.cpu, cpuByService(instance), ROUND);
      const one = await rounds(ROUND, 1);
      const stages = stageMedians(before.stages, await stageCounts(instance));
      const many = await rounds(ROUND, CLIENTS);
      return {
        api: figuresOf(one.api),
        bare: figuresOf(one.bare),
        alone,
        stages_p50_ms: stages,
        cpu_us_per_search: cpu,
        empty_route: empty,
        clients_8: { api: figuresOf(many.api), bare: figuresOf(many.bare) },
      };
    },
    async indexing() {
      await embedAnchors();
      const first = await stored();
      const { result, perSecond } = await whileIndexing(
        {
          databaseUrl: instance.databaseUrl,
          weaviate,
          target: { tenantId: target.tenantId, userId: target.userId, model, dimension },
          anchorVectors,
          first,
          perSecond: INDEXED_PER_SECOND,
        },
        () => apiSearches(instance, nextQuestions(ROUND * ROUNDS), 1),
      );
      await awaitQueue(weaviate, INDEX_TIMEOUT_MS);
      return { ...figuresOf([result]), indexed_per_s: perSecond };
    },
    stored,
    async close() {
      await bare.close();
      await vectors.close();
      await embedder.close();
    },
  };
}

/** Returns the figures of one size that miss their target. */
function missedOf(
  size: number,
  settled: Awaited<ReturnType<Awaited<ReturnType<typeof openBench>>['settled']>>,
  indexingP95: number | null,
): string[] {
  const missed: string[] = [];
  const target = TARGETS[size];
  if (target !== undefined && settled.api.p50 > target.p50) missed.push(`${size}: p50 ${settled.api.p50} ms`);
  if (target !== undefined && settled.api.p95 > target.p95) missed.push(`${size}: p95 ${settled.api.p95} ms`);
  if (indexingP95 !== null && indexingP95 > INDEXING_P95_MS)
    missed.push(`${size}: p95 while indexing ${indexingP95} ms`);
  const share = settled.clients_8.api.per_s / settled.clients_8.bare.per_s;
  if (size >= 100_000 && share < LEAST_SHARE_OF_BARE) missed.push(`${size}: ${share.toFixed(2)} of bare Weaviate`);
  return missed;
}

/**
 * Measures latency and throughput of search through the API and of bare Weaviate. `--data DIR` stores the filled instance for the next run;
 * `--sizes 10000,100000` sets the numbers of memories, `--round 50` the queries of each of the four rounds; `--settled` skips the
 * measurement during indexing.
 */
export async function runSpeed(): Promise<RecallFigures> {
  const dataDir = option('data');
  if (dataDir !== undefined) {
    mkdirSync(dataDir, { recursive: true });
    chmodSync(dataDir, 0o755);
  }
  const sizes = option('sizes')?.split(',').map(Number) ?? SIZES;
  const instance = await startBenchInstance({}, dataDir);
  const figures: Record<string, unknown> = {};
  const missed: string[] = [];
  try {
    const bench = await openBench(instance);
    try {
      for (const size of sizes) {
        await bench.fill(size);
        say(`searching ${size}`);
        const settled = await bench.settled();
        say(JSON.stringify(settled));
        const indexing = process.argv.includes('--settled') ? null : await bench.indexing();
        missed.push(...missedOf(size, settled, indexing?.p95 ?? null));
        const share = settled.clients_8.api.per_s / settled.clients_8.bare.per_s;
        figures[size] = {
          ...settled,
          share_of_bare_8_clients: Math.round(share * 100) / 100,
          ...(indexing === null ? {} : { while_indexing: indexing }),
          stored: await bench.stored(),
          pss_mib: Object.fromEntries(
            memoryOf(instance.supervisor, pidsOf(instance)).map((row) => [row.name, row.pssMib]),
          ),
          load_average: Math.round((loadavg()[0] ?? 0) * 10) / 10,
        };
      }
    } finally {
      await bench.close();
    }
  } finally {
    await instance.stop();
  }
  return { sizes: figures, missed };
}
