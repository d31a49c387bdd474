import { providerSettings, isRepair, startMessagesServer } from '../../models/claude/messages-server.ts';
import type { CallRecord, MessagesServer } from '../../models/claude/messages-server.ts';
import { startBenchInstance } from '../capture/bench-instance.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { awaitUnderstood, replaySessions, sharedHooks } from './replay.ts';
import { count } from './stored.ts';

// The shared sessions through the Claude adapter, against a local server that counts, caches and bills as the provider does.

const TIMEOUT_MS = 900_000;
/** Embedding takes most of two cores, and no figure here needs vectors. */
const NO_EMBEDDING = 'session,model,sweeps,maintenance,transcripts';
const OVERLOADED = { kind: 'error', status: 529, type: 'overloaded_error' } as const;

export interface ClaudeFigures {
  readonly observations: number;
  readonly windows: number;
  readonly callsByOperation: Readonly<Record<string, number>>;
  readonly usd: number;
  /** Model tokens, in and out, at the price of uncached input, per captured observation. */
  readonly tokensPerObservation: number;
  readonly tokensByOperation: Readonly<Record<string, number>>;
  /** Of the prefixes of second and later windows, the share that the cache served. */
  readonly prefixCachedShare: number;
  readonly cacheHits: number;
  readonly parked: number;
  /** Repair calls after an unusable response. */
  readonly repaired: number;
}

function settings(server: MessagesServer, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    ...providerSettings(server),
    RECOLLECT_WORKER_QUEUES: NO_EMBEDDING,
    RECOLLECT_USER_DAILY_TOKENS: '100000000',
    RECOLLECT_SESSION_RETRY_MS: '1000',
    ...more,
  };
}

async function withClaude<Result>(
  more: Readonly<Record<string, string>>,
  work: (instance: BenchInstance, server: MessagesServer) => Promise<Result>,
): Promise<Result> {
  const server = await startMessagesServer({ author: true });
  try {
    const instance = await startBenchInstance(settings(server, more));
    try {
      return await work(instance, server);
    } finally {
      await instance.stop();
    }
  } finally {
    await server.close();
  }
}

/** Returns the share of cacheable prefixes that the cache served in second and later calls of each model. */
function cachedShare(log: readonly CallRecord[]): number {
  let read = 0;
  let total = 0;
  for (const ofModel of Map.groupBy(
    log.filter((call) => call.usage !== null),
    (call) => call.model,
  ).values())
    for (const { usage } of ofModel.slice(1)) {
      read += usage?.cache_read_input_tokens ?? 0;
      total += (usage?.cache_read_input_tokens ?? 0) + (usage?.cache_creation_input_tokens ?? 0);
    }
  return Math.round((1_000 * read) / total) / 1_000;
}

async function figuresOf({ database }: BenchInstance, server: MessagesServer): Promise<ClaudeFigures> {
  const observations = await count(database, 'SELECT count(*) FROM observations');
  // A cached token costs a tenth of an uncached one, a token written to the cache a quarter more.
  const { rows } = await database.query<{ operation: string; tokens: number; calls: number }>(
    `SELECT operation, count(*)::integer AS calls,
            sum(input_tokens - tokens_cached - tokens_cache_written + 0.1 * tokens_cached + 1.25 * tokens_cache_written + output_tokens)::float8 AS tokens
       FROM usage_ledger WHERE NOT cache_hit GROUP BY operation`,
  );
  const windows = await count(database, "SELECT count(*) FROM windows WHERE state = 'summarised'");
  const cacheHits = await count(database, 'SELECT count(*) FROM usage_ledger WHERE cache_hit');
  return {
    observations,
    windows,
    callsByOperation: Object.fromEntries(rows.map((row) => [row.operation, row.calls])),
    usd: Math.round(server.bill() * 10_000) / 10_000,
    tokensPerObservation: Math.round(rows.reduce((sum, row) => sum + row.tokens, 0) / observations),
    tokensByOperation: Object.fromEntries(rows.map((row) => [row.operation, Math.round(row.tokens)])),
    prefixCachedShare: cachedShare(server.log),
    cacheHits,
    parked: await count(database, "SELECT count(*) FROM windows WHERE state = 'parked'"),
    repaired: repairsOf(server),
  };
}

/** Counts requests with an unusable response. */
function repairsOf(server: MessagesServer): number {
  return server.requests.filter(isRepair).length;
}

/** Runs every session in the mode; returns the cost. */
export function runMode(mode: 'direct' | 'batch'): Promise<ClaudeFigures> {
  const more = {
    RECOLLECT_MODEL_MODE: mode,
    RECOLLECT_MODEL_BATCH_GATHER_MS: '10000',
    RECOLLECT_MODEL_BATCH_POLL_MS: '500',
  };
  return withClaude(more, async (instance, server) => {
    const ids = await replaySessions(instance, sharedHooks());
    await awaitUnderstood(instance, ids, { vectors: false, timeoutMs: TIMEOUT_MS });
    return figuresOf(instance, server);
  });
}

export interface OutageFigures {
  readonly sessions: number;
  readonly callsRefused: number;
  /** From the provider's return to the last session's learnings. */
  readonly caughtUpAfterS: number;
  readonly windowsParked: number;
  readonly windowsLeft: number;
  readonly sessionsWithoutSummary: number;
  /** Responses paid twice for identical requests. */
  readonly paidTwice: number;
}

/** Measures an outage: the provider rejects everything until all sessions have ended, then recovers. */
export function runOutage(): Promise<OutageFigures> {
  return withClaude({ RECOLLECT_MODEL_CACHE_DAYS: '0' }, async (instance, server) => {
    server.down(OVERLOADED);
    const ids = await replaySessions(instance, sharedHooks());
    const { database } = instance;
    const waiting = 'SELECT count(*) FROM sessions WHERE waiting_reason IS NOT NULL';
    const deadline = performance.now() + TIMEOUT_MS;
    // Wait until every session shows that it is waiting.
    while ((await count(database, waiting)) < ids.length && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 500));
    const callsRefused = server.log.length;
    const refused = server.requests.length;
    server.down(null);
    const back = performance.now();
    await awaitUnderstood(instance, ids, { vectors: false, timeoutMs: TIMEOUT_MS });
    const caughtUpAfterS = Math.round((performance.now() - back) / 100) / 10;
    const summaries = await count(database, "SELECT count(*) FROM summaries WHERE type = 'session'");
    const answered = server.requests.slice(refused).map((request) => JSON.stringify([request.model, request.messages]));
    return {
      sessions: ids.length,
      callsRefused,
      caughtUpAfterS,
      windowsParked: await count(database, "SELECT count(*) FROM windows WHERE state = 'parked'"),
      windowsLeft: await count(database, "SELECT count(*) FROM windows WHERE state NOT IN ('summarised', 'parked')"),
      sessionsWithoutSummary: ids.length - summaries,
      paidTwice: answered.length - new Set(answered).size,
    };
  });
}
