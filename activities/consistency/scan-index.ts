import { mergeSorted, pagesAhead } from '../../domain/consistency/merge.ts';
import { MOST_HITS } from '../../domain/ports/vector-index.ts';
import type { IndexHit } from '../../domain/ports/vector-index.ts';
import { ledgerPage } from '../../stores/postgres/consistency/ledger.ts';
import type { Comparison } from './comparison.ts';
import { judge, pollAgain, removedMemories } from './second-look.ts';
import type { Compared } from './second-look.ts';
import { Suspects } from './suspects.ts';
import { reportProgress } from '../heartbeat.ts';
import { isAmong, SAME, unfoundSamples } from '../sampled-vectors.ts';
import type { Sample } from '../sampled-vectors.ts';
import { queueEmptied } from '../vector-queue.ts';
import { setTimeout as pause } from 'node:timers/promises';
import { requestAgain } from '../../stores/postgres/connection/maintenance.ts';

/** Sampled vectors of an index: the loss seen after a restore affects most of them. */
export const SAMPLES = 64;

/** Equal texts have equal vectors, whose order is arbitrary: a chunk may be behind them. */
function isFindable(hits: readonly IndexHit[], sample: Sample): boolean {
  return isAmong(hits, sample) || (hits.length === MOST_HITS && hits.every((hit) => hit.score > SAME));
}

/**
 * Searches for sampled vectors, and for those not found again when the vector store has indexed what waited in its queue. Requests the lost ones
 * again. Returns true if chunks were queued for indexing.
 */
async function findUnfindable(comparison: Comparison, model: string, samples: readonly Sample[]): Promise<boolean> {
  const { maintenance, vectors, tenantId, tally, settleMs, signal, repair } = comparison;
  const suspects = await unfoundSamples(vectors, tenantId, model, samples, isFindable, signal);
  if (suspects.length === 0) return false;
  await pause(settleMs, undefined, { signal });
  await queueEmptied(vectors, tenantId, model, signal);
  const present = await vectors.existing(
    tenantId,
    model,
    suspects.map(({ objectId }) => objectId),
  );
  const existing = suspects.filter(({ objectId }) => present.has(objectId));
  const lost = await unfoundSamples(vectors, tenantId, model, existing, isFindable, signal);
  tally.find('unfindable', lost.length);
  if (!repair || lost.length === 0) return false;
  const ids = lost.map(({ objectId }) => objectId);
  tally.repair('unfindable', await requestAgain(maintenance, tenantId, model, ids));
  return true;
}

const LEDGER_PAGE = 2_000;
const OBJECT_PAGE = 1_000;
const GROUP = 2_000;
/** Texts per read. */
const JUDGED_AT_ONCE = 500;
const SAMPLES_OF_A_GROUP = 16;
/** The graph is built from a queue: recent vectors are not searchable yet. */
const QUEUED_MS = 60_000;

/** Returns evenly distributed samples of a group. */
function samplesOf(group: readonly Compared[]): Sample[] {
  const stride = Math.max(1, Math.floor(group.length / SAMPLES_OF_A_GROUP));
  return group.flatMap(({ id, row }, place) =>
    row === null || place % stride !== 0 || row.indexedAtMs > Date.now() - QUEUED_MS ? [] : [{ objectId: id }],
  );
}

/** Returns the ids of a group that differ at the first look. */
async function differing(comparison: Comparison, model: string, group: readonly Compared[]): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < group.length; from += JUDGED_AT_ONCE) {
    const some = group.slice(from, from + JUDGED_AT_ONCE);
    const unlisted = some.flatMap(({ row, object }) => (row === null ? [object] : []));
    const verdicts = await judge(comparison, model, some, await removedMemories(comparison, model, unlisted));
    ids.push(...some.map(({ id }) => id).filter((id) => (verdicts.get(id) ?? null) !== null));
  }
  return ids;
}

/**
 * Compares the ledger of an index with its objects in the order of object ids, from `after` on. Calls `report` with the last object checked.
 * Returns true if chunks were queued for indexing.
 */
export async function scanIndex(
  comparison: Comparison,
  model: string,
  after: string | null,
  report: (after: string) => Promise<void>,
): Promise<boolean> {
  const { maintenance, vectors, tenantId, tally, settleMs, signal } = comparison;
  let hasWork = false;
  const suspects = new Suspects<string>(settleMs, signal, async (ids) => {
    hasWork = (await pollAgain(comparison, model, ids)) || hasWork;
  });
  const samples: Sample[] = [];
  const ledger = pagesAhead(
    (from) => ledgerPage(maintenance, tenantId, model, from, LEDGER_PAGE),
    (row) => row.objectId,
    after,
    LEDGER_PAGE,
  );
  const objects = pagesAhead(
    (from) => vectors.list(tenantId, model, from, OBJECT_PAGE, signal),
    (object) => object.objectId,
    after,
    OBJECT_PAGE,
  );
  for await (const pairs of mergeSorted(ledger, objects, GROUP)) {
    reportProgress(signal);
    const group = pairs
      .map(({ id, left, right }): Compared => ({ id, row: left, object: right }))
      // A pending row may have an object or not.
      .filter(({ row }) => row === null || row.isIndexed);
    tally.look(pairs.length);
    const suspected = new Set(await differing(comparison, model, group));
    await suspects.add([...suspected]);
    const sound = group.filter(({ id }) => !suspected.has(id));
    if (samples.length < SAMPLES) samples.push(...samplesOf(sound));
    const last = pairs.at(-1);
    if (suspects.size === 0 && last !== undefined) await report(last.id);
  }
  await suspects.settle();
  return (await findUnfindable(comparison, model, samples)) || hasWork;
}
