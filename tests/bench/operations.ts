import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { indexNameOf } from '../../domain/index-model.ts';
import { createWeaviateIndex } from '../../stores/weaviate/weaviate-index.ts';
import { startBenchInstance } from './capture/bench-instance.ts';
import type { BenchInstance } from './capture/bench-instance.ts';
import { request } from './operations/api.ts';
import { benchBackup, benchCaptureBeside, setsFolder } from './operations/backup.ts';
import { benchClaudeMem } from './operations/claude-mem.ts';
import { benchConsistency } from './operations/consistency.ts';
import { fillInstance } from './operations/fill.ts';
import { queryAll, exactly, overlap, sameShare } from './operations/questions.ts';
import { benchRestore, restoringSettings } from './operations/restore.ts';
import { benchRetention } from './operations/retention.ts';
import { createSpeedCorpus } from './recall/speed-corpus.ts';
import { soleUser } from './recall/speed-fill.ts';
import { awaitQueue } from './recall/speed-weaviate.ts';
import { option, say } from './command-line.ts';
import { benchEmbedder } from './embedder.ts';

// Cost of operations: backup, restore, retention, consistency, import. Prints one JSON line; progress goes to stderr.
// `--only STEP` measures consistency, backup, restore, capture, retention or claude-mem alone, and prints its result.
// `--data DIR` stores the filled instance for the next run, which measures a copy of it; `--observations N` and `--vectors N` reduce it.

const INDEX_TIMEOUT_MS = 1_800_000;
const CLAUDE_MEM_OBSERVATIONS = 20_000;

async function fill(instance: BenchInstance, observations: number, vectors: number): Promise<void> {
  const embedder = benchEmbedder({ threads: 2 });
  const index = createWeaviateIndex(instance.weaviate);
  try {
    const { database } = instance;
    const model = { model: indexNameOf(embedder.model), dimension: embedder.dimension };
    await fillInstance(
      { ...(await soleUser(database)), ...model, database, observations, vectors },
      index,
      createSpeedCorpus(),
      (texts) => embedder.embed(texts, 'passage'),
      say,
    );
    await awaitQueue(instance.weaviate, INDEX_TIMEOUT_MS);
  } finally {
    await index.close();
    await embedder.close();
  }
}

/** Measures retention on an instance that is not needed afterwards. */
async function retain(instance: BenchInstance) {
  const maintenance = new pg.Pool({ connectionString: instance.maintenanceDatabaseUrl, max: 4 });
  try {
    return await benchRetention({ superuser: instance.database, maintenance });
  } finally {
    await maintenance.end();
  }
}

/** Runs a step; reports its start and its result. */
async function reported<Figures>(name: string, work: () => Promise<Figures>): Promise<Figures> {
  say(name);
  const figures = await work();
  say(JSON.stringify(figures));
  return figures;
}

async function main(): Promise<void> {
  const observations = Number(option('observations') ?? 1_000_000);
  const vectors = Number(option('vectors') ?? observations / 10);
  const given = option('data');
  const dataDir = mkdtempSync(path.join(tmpdir(), 'recollect-bench-operations-'));
  try {
    if (given !== undefined) {
      // Unembedded captures of one run would slow down the next measurement.
      const filled = await startBenchInstance({}, given);
      try {
        await fill(filled, observations, vectors);
      } finally {
        await filled.stop();
      }
      // With permissions, which PostgreSQL checks.
      execFileSync('cp', ['-a', `${given}/.`, dataDir]);
    }
    const only = option('only');
    const figures =
      only === undefined
        ? measureAll(dataDir, observations, vectors)
        : measureOnly(only, dataDir, observations, vectors);
    process.stdout.write(`${JSON.stringify(await figures)}\n`);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Measures a single step. */
async function measureOnly(step: string, dataDir: string, observations: number, vectors: number): Promise<object> {
  if (step === 'restore') return (await measureRestored(dataDir, observations, vectors)).figures;
  const instance = await startBenchInstance({}, dataDir);
  try {
    if (step === 'claude-mem') return await claudeMemInto(instance);
    await fill(instance, observations, vectors);
    if (step === 'consistency') return await benchConsistency(instance);
    if (step === 'backup') return (await benchBackup(instance)).figures;
    if (step === 'retention') return await retain(instance);
    if (step === 'capture') return await benchCaptureBeside(instance);
    throw new Error(`--only ${step} is none of consistency, backup, restore, capture, retention, claude-mem`);
  } finally {
    await instance.stop();
  }
}

const claudeMemInto = ({ url, key: apiKey }: BenchInstance) => benchClaudeMem({ url, apiKey }, CLAUDE_MEM_OBSERVATIONS);

/** Further measurements of the backed-up instance, and of the restored one. */
interface Beside {
  readonly source: (instance: BenchInstance) => Promise<object>;
  readonly target: (instance: BenchInstance) => Promise<object>;
}

const NOTHING = () => Promise.resolve({});

/** Fills an instance, backs it up, stops it, and restores it into a second one; compares the same queries before and after. */
async function measureRestored(
  dataDir: string,
  observations: number,
  vectors: number,
  beside: Beside = { source: NOTHING, target: NOTHING },
) {
  const corpus = createSpeedCorpus();
  const asOf = new Date().toISOString();
  const source = await startBenchInstance({}, dataDir);
  const backUp = async () => {
    try {
      await fill(source, observations, vectors);
      say('running the queries');
      const before = await queryAll(source, corpus, asOf, observations);
      const backup = await reported('backup', () => benchBackup(source));
      return { before, backup, more: await beside.source(source) };
    } finally {
      await source.stop();
    }
  };
  const { before, backup, more } = await backUp();
  const set = { ...backup, store: setsFolder(source.dataDir) };
  const target = await startBenchInstance(restoringSettings(set));
  try {
    const query = new URLSearchParams({ q: exactly(3, observations), as_of: asOf }).toString();
    const right = async (): Promise<boolean> => {
      const answer = JSON.stringify(await request(target, 'GET', `/search?${query}`));
      return (before.exact[3] ?? ['none']).every((id) => answer.includes(id));
    };
    const restore = await reported('restore', () => benchRestore(target, set, right));
    await awaitQueue(target.weaviate, INDEX_TIMEOUT_MS);
    say('running them again');
    const after = await queryAll(target, corpus, asOf, observations);
    const figures = {
      backup: backup.figures,
      restore,
      exact_found: before.exact.filter((ids) => ids.length > 0).length,
      exact_same_percent: sameShare(before.exact, after.exact),
      phrase_overlap_at_10: overlap(before.phrases, after.phrases),
      vector_overlap_at_10: overlap(before.nearest, after.nearest),
    };
    return { figures, more: { ...more, ...(await beside.target(target)) } };
  } finally {
    await target.stop();
  }
}

async function measureAll(dataDir: string, observations: number, vectors: number): Promise<object> {
  const { figures, more } = await measureRestored(dataDir, observations, vectors, {
    source: async (instance) => ({
      consistency: await reported('consistency', () => benchConsistency(instance)),
      // Last: its captures keep the workers busy for minutes.
      capture_beside_backup: await reported('capture beside a backup', () => benchCaptureBeside(instance)),
    }),
    target: async (instance) => ({
      retention: await reported('retention', () => retain(instance)),
      claude_mem: await reported('import from claude-mem', () => claudeMemInto(instance)),
    }),
  });
  return { bench: 'operations', observations, vectors, ...figures, ...more };
}

await main();
