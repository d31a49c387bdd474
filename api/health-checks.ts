import type { Client } from '@temporalio/client';
import { failureReason } from '../domain/failure-reason.ts';
import type { Embedder } from '../domain/ports/embedder.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import type { Database } from '../stores/postgres/connection/database.ts';

export interface DependencyHealth {
  readonly status: 'ok' | 'unavailable';
  readonly latency_ms: number | null;
}

export interface Health {
  readonly postgres: DependencyHealth;
  readonly temporal: DependencyHealth;
  readonly weaviate: DependencyHealth;
  readonly embedder: DependencyHealth;
}

const CHECK_TIMEOUT_MS = 2_000;

async function check(probe: () => Promise<unknown>, onFailure: (error: unknown) => void): Promise<DependencyHealth> {
  const started = performance.now();
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('timeout')), CHECK_TIMEOUT_MS);
  try {
    await Promise.race([probe(), timeout]);
    return { status: 'ok', latency_ms: Math.round((performance.now() - started) * 100) / 100 };
  } catch (error) {
    onFailure(error);
    // A caller sees only which dependency is unavailable; its own log contains the reason.
    return { status: 'unavailable', latency_ms: null };
  } finally {
    clearTimeout(timer);
  }
}

/** Returns what checks all dependencies concurrently, each for at most two seconds. Calls during a check get its result: anybody may call, and each check needs a connection. */
export function createHealthChecks(parts: {
  database: Database;
  temporal: Client;
  vectors: VectorIndex;
  embedder: Embedder;
  /** Receives the reason when a dependency became unavailable, and when the reason changed. */
  onUnavailable: (dependency: string, reason: string) => void;
  /** Receives the result of each check, as soon as there is one. */
  onChecked: (dependency: string, isAvailable: boolean) => void;
}): () => Promise<Health> {
  const reasons = new Map<string, string>();
  const watched = async (name: keyof Health, probe: () => Promise<unknown>): Promise<DependencyHealth> => {
    const health = await check(probe, (error) => {
      const reason = failureReason(error);
      if (reasons.get(name) !== reason) parts.onUnavailable(name, reason);
      reasons.set(name, reason);
    });
    if (health.status === 'ok') reasons.delete(name);
    parts.onChecked(name, health.status === 'ok');
    return health;
  };
  const checkAll = async (): Promise<Health> => {
    const [postgres, temporal, weaviate, embedder] = await Promise.all([
      watched('postgres', () => parts.database.ping()),
      watched('temporal', () =>
        parts.temporal.withDeadline(Date.now() + CHECK_TIMEOUT_MS, () =>
          parts.temporal.workflowService.getSystemInfo({}),
        ),
      ),
      watched('weaviate', () => parts.vectors.ping()),
      watched('embedder', async () => {
        if (!(await parts.embedder.ready())) throw new Error('no model');
      }),
    ]);
    return { postgres, temporal, weaviate, embedder };
  };
  let running: Promise<Health> | null = null;
  return () => {
    running ??= checkAll().finally(() => {
      running = null;
    });
    return running;
  };
}
