import { mergeSorted, pagesAhead } from '../../domain/consistency/merge.ts';
import { ledgerPage } from '../../stores/postgres/consistency/ledger.ts';
import type { Comparison } from './dependencies.ts';
import { judge, pollAgain } from './second-look.ts';
import type { Compared } from './second-look.ts';
import { Suspects } from './suspects.ts';
import { findUnfindable, SAMPLES } from './unfindable.ts';
import type { Sample } from './unfindable.ts';

const LEDGER_PAGE = 2_000;
const OBJECT_PAGE = 1_000;
const GROUP = 2_000;
/** Texts that are read at once. */
const JUDGED_AT_ONCE = 500;
const SAMPLES_OF_A_GROUP = 16;
/** Vectors are taken into the graph from a queue: one that was just written is not to be found yet. */
const QUEUED_MS = 60_000;

/** Some of a group, evenly. */
function samplesOf(group: readonly Compared[]): Sample[] {
  const stride = Math.max(1, Math.floor(group.length / SAMPLES_OF_A_GROUP));
  return group.flatMap(({ id, row }, place) =>
    row === null || place % stride !== 0 || row.indexedAtMs > Date.now() - QUEUED_MS
      ? []
      : [{ objectId: id, memoryId: row.memoryId, chunk: row.chunk }],
  );
}

/** Those of a group that differ at first sight. */
async function differing(comparison: Comparison, model: string, group: readonly Compared[]): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < group.length; from += JUDGED_AT_ONCE) {
    const some = group.slice(from, from + JUDGED_AT_ONCE);
    const verdicts = await judge(comparison, model, some);
    ids.push(...some.map(({ id }) => id).filter((id) => (verdicts.get(id) ?? null) !== null));
  }
  return ids;
}

/**
 * Compares the ledger of an index with its objects, side by side in the order of the objects' ids, after that one. `tell` is told up to which object all is
 * settled. Answers whether the index has something to do.
 */
export async function scanIndex(
  comparison: Comparison,
  model: string,
  after: string | null,
  tell: (after: string) => Promise<void>,
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
    signal.throwIfAborted();
    const group = pairs
      .map(({ id, left, right }): Compared => ({ id, row: left, object: right }))
      // A row that waits has an object or none.
      .filter(({ row }) => row === null || row.isIndexed);
    tally.look(pairs.length);
    const suspected = new Set(await differing(comparison, model, group));
    await suspects.add([...suspected]);
    const sound = group.filter(({ id }) => !suspected.has(id));
    if (samples.length < SAMPLES) samples.push(...samplesOf(sound));
    const last = pairs.at(-1);
    if (suspects.size === 0 && last !== undefined) await tell(last.id);
  }
  await suspects.settle();
  return (await findUnfindable(comparison, model, samples)) || hasWork;
}
