import type { WeaviateClient } from 'weaviate-client';
import { z } from 'zod';
import { percentile } from '../figures.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { queryText } from '../../../stores/weaviate/searchable-text.ts';
import { SocketClient } from '../capture/socket-client.ts';

/** Results per search. */
const LIMIT = 10;

export interface Timings {
  readonly ms: readonly number[];
  readonly seconds: number;
}

/** Runs `work` for every query with concurrent clients, each sequential. */
async function timed(
  questions: readonly string[],
  clients: number,
  work: (question: string, client: number) => Promise<unknown>,
): Promise<Timings> {
  const ms: number[] = [];
  const remaining = questions.values();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (const question of remaining) {
        const sentAt = performance.now();
        await work(question, client);
        ms.push(performance.now() - sentAt);
      }
    }),
  );
  return { ms, seconds: (performance.now() - started) / 1_000 };
}

function request(instance: BenchInstance, path: string): Buffer {
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${instance.port}\r\nauthorization: Bearer ${instance.key}\r\n\r\n`,
  );
}

/** Sends over keep-alive connections. @throws Error for a failed response, or one without a retriever */
async function ask(
  instance: BenchInstance,
  questions: readonly string[],
  clients: number,
  pathOf: (question: string) => string,
  isWhole: (body: Buffer) => boolean,
): Promise<Timings> {
  const sockets = await Promise.all(Array.from({ length: clients }, () => SocketClient.connect(instance.port)));
  try {
    return await timed(questions, clients, async (question, client) => {
      const { status, body } = (await sockets[client]?.request(request(instance, pathOf(question)))) ?? {};
      if (status !== 200 || body === undefined || !isWhole(body))
        throw new Error(`"${question}" returned ${status}: ${body?.toString('utf8').slice(-300)}`);
    });
  } finally {
    for (const socket of sockets) socket.close();
  }
}

/** Searches through the API, hybrid, with the query embedded by the api. */
export function apiSearches(instance: BenchInstance, questions: readonly string[], clients: number): Promise<Timings> {
  return ask(
    instance,
    questions,
    clients,
    // With the nearest ones: some questions of mixed words fit nothing, and an empty answer costs less.
    (question) => `/api/v1/search?limit=${LIMIT}&nearest=true&q=${encodeURIComponent(question)}`,
    (body) => body.includes('"degraded":[]') && body.includes('"hash"'),
  );
}

/** Calls an empty route: the cost of a round trip to the api. */
export function emptyRequests(instance: BenchInstance, count: number): Promise<Timings> {
  return ask(
    instance,
    Array.from({ length: count }, () => ''),
    1,
    () => '/api/v1/health/live',
    () => true,
  );
}

/** Searches bare Weaviate by its own client over gRPC, hybrid, for the same terms, with precomputed vectors. */
export function bareSearches(
  client: WeaviateClient,
  tenantId: string,
  vectors: ReadonlyMap<string, readonly number[]>,
  questions: readonly string[],
  clients: number,
  collection: string,
): Promise<Timings> {
  const chunks = client.collections.use(collection).withTenant(tenantId);
  return timed(questions, clients, async (question) => {
    const { objects } = await chunks.query.hybrid(queryText(question), {
      vector: [...(vectors.get(question) ?? [])],
      targetVector: 'content',
      alpha: 0.5,
      fusionType: 'RelativeScore',
      queryProperties: ['text'],
      limit: LIMIT,
      returnProperties: ['memory_id', 'memory_type', 'chunk'],
      returnMetadata: ['score'],
    });
    if (objects.length === 0) throw new Error(`bare Weaviate found nothing for "${question}"`);
  });
}

/** Returns percentiles and rate over several rounds. */
export function figuresOf(rounds: readonly Timings[]) {
  const ms = rounds.flatMap((round) => round.ms);
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0);
  return {
    p50: percentile(ms, 0.5),
    p95: percentile(ms, 0.95),
    p99: percentile(ms, 0.99),
    per_s: Math.round((ms.length / seconds) * 10) / 10,
    count: ms.length,
  };
}

const STAGE = /^recollect_search_stage_duration_seconds_(bucket|count)\{([^}]*)\} (\S+)$/gm;

/** Returns counts of searches by stage and bucket from the API's metrics. */
export async function stageCounts(instance: BenchInstance): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`${instance.url}/metrics`, { headers: { authorization: `Bearer ${instance.key}` } });
  const counts = new Map<string, number>();
  for (const [, kind, labels = '', value] of (await answer.text()).matchAll(STAGE))
    if (kind === 'bucket') counts.set(labels, Number(value));
  return counts;
}

const label = z.object({ le: z.string(), stage: z.string() });

/** Returns the median of each stage in ms between two readings of the metrics, interpolated within its bucket. */
export function stageMedians(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Record<string, number> {
  const buckets = new Map<string, { readonly le: number; readonly count: number }[]>();
  for (const [labels, count] of after) {
    const { le, stage } = label.parse(
      Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, text]) => [name, text])),
    );
    const entry = { le: le === '+Inf' ? Infinity : Number(le), count: count - (before.get(labels) ?? 0) };
    buckets.set(stage, [...(buckets.get(stage) ?? []), entry]);
  }
  return Object.fromEntries(
    [...buckets].map(([stage, entries]) => {
      const half = (entries.at(-1)?.count ?? 0) / 2;
      const at = entries.findIndex(({ count }) => count >= half);
      const [low, high] = [entries[at - 1] ?? { le: 0, count: 0 }, entries[at] ?? { le: 0, count: 0 }];
      const share = (half - low.count) / Math.max(1, high.count - low.count);
      return [stage, Math.round((low.le + share * (high.le - low.le)) * 100_000) / 100];
    }),
  );
}
