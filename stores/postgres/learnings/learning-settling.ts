import { z } from 'zod';
import { draftPlace } from '../../../domain/learning/merge.ts';
import type { Placing } from '../../../domain/learning/merge.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { hexColumn } from '../connection/rows.ts';
import type { LearningScope } from './learning-neighbours.ts';
import { currentIn } from './learning-successors.ts';
import { DUPLICATE, everyFingerprint, learningFingerprint, REFINED } from './learnings.ts';
import type { LearningContext } from './learnings.ts';

/**
 * Locks the learnings of these ids and fingerprints, and their successors, in the order of ids. Uses, consolidation and users do the same, which
 * prevents deadlocks.
 */
export async function lockKnown(
  transaction: TenantTransaction,
  tenantId: string,
  ids: readonly string[],
  prints: readonly Uint8Array[],
): Promise<void> {
  await transaction.$executeRaw`
    WITH RECURSIVE chain AS (
      SELECT id, superseded_by FROM learnings WHERE id = ANY (${ids}::uuid[])
      UNION SELECT id, superseded_by FROM learnings WHERE tenant_id = ${tenantId}::uuid AND fingerprint = ANY (${prints}::bytea[])
      UNION SELECT l.id, l.superseded_by FROM chain JOIN learnings l ON l.id = chain.superseded_by)
    SELECT FROM learnings WHERE id IN (SELECT id FROM chain) ORDER BY id FOR UPDATE`;
}

/** Returns for each draft whether a learning of the scope, current or closed, has its words. */
export async function areKnownWords(
  transaction: TenantTransaction,
  scope: LearningScope & { readonly tenantId: string },
  drafts: readonly { readonly description: string }[],
): Promise<readonly boolean[]> {
  const prints = drafts.map(({ description }) => everyFingerprint({ ...scope, description }));
  const rows = z.array(z.object({ fingerprint: hexColumn })).parse(
    await transaction.$queryRaw`
      SELECT DISTINCT fingerprint FROM learnings WHERE tenant_id = ${scope.tenantId}::uuid AND fingerprint = ANY (${prints.flat()}::bytea[])`,
  );
  const known = new Set(rows.map((row) => row.fingerprint));
  return prints.map((own) => own.some((print) => known.has(Buffer.from(print).toString('hex'))));
}

const namesakeRow = z.object({
  id: z.string(),
  open: z.boolean(),
  by_person: z.boolean(),
  shown: z.boolean(),
  replaced: z.boolean(),
});

/** Scope in which learnings are written; without a session for those of users. */
type Scope = Pick<LearningContext, 'tenantId' | 'projectId' | 'namespace' | 'ownerId'> & {
  readonly sessionId: string | null;
};

/**
 * Returns the placing after earlier drafts were written, which may have the same text; null if the draft is not to be learned. No session learns a
 * text again that a user closed in any category.
 */
export async function settled(
  transaction: TenantTransaction,
  scope: Scope,
  words: { readonly category: string; readonly description: string },
  placing: Placing,
  ids: readonly (string | null)[],
): Promise<Placing | null> {
  const print = learningFingerprint({ ...scope, ...words });
  const prints = everyFingerprint({ ...scope, ...words });
  const namesakes = z.array(namesakeRow).parse(
    await transaction.$queryRaw`
      SELECT l.id, l.valid_to IS NULL AS open, 
             l.closed_by IS NOT NULL AND NOT EXISTS (SELECT FROM learnings n WHERE n.previous_id = l.id AND n.reopen_reason IS NOT NULL) AS by_person,
             l.reason = ANY (${[REFINED, DUPLICATE]}) AND l.superseded_by IS NOT NULL AS replaced,
             EXISTS (SELECT FROM learning_evidence e WHERE e.learning_id = l.id AND e.session_id = ${scope.sessionId}::uuid) AS shown
        FROM learnings l
       WHERE l.tenant_id = ${scope.tenantId}::uuid AND l.fingerprint = ANY (${prints}::bytea[])
         AND (l.fingerprint = ${print} OR (l.closed_by IS NOT NULL AND l.valid_to IS NOT NULL)) ORDER BY l.id DESC`,
  );
  const open = namesakes.find((row) => row.open);
  if (open !== undefined) return { kind: 'same', knownId: open.id };
  if (scope.sessionId !== null && namesakes.some((row) => row.by_person || row.shown)) return null;
  const older = namesakes.find((row) => row.replaced);
  if (older !== undefined) {
    const currentId = await currentIn(transaction, older.id);
    if (currentId !== null) return { kind: 'same', knownId: currentId };
  }
  if (placing.kind === 'new') return placing;
  // An earlier draft of this session, or what one of them took the place of.
  const place = draftPlace(placing.knownId);
  const known = place === null ? await currentIn(transaction, placing.knownId) : ids[place];
  if (known === undefined || known === null) return { kind: 'new' };
  return { kind: placing.kind, knownId: known };
}
