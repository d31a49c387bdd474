import { areKnown } from '../../domain/learning/merge.ts';
import type { LearningDraft, SourceRow } from '../../domain/ports/model.ts';
import { viewOfUser } from '../../stores/postgres/connection/database.ts';
import { newestLearning } from '../../stores/postgres/learnings/learning-neighbours.ts';
import { areKnownWords } from '../../stores/postgres/learnings/learning-settling.ts';
import { compareDrafts } from './compare-drafts.ts';
import type { Comparison, EmbedOnce, NeighbourDependencies, ScopeOfTenant } from './compare-drafts.ts';

/**
 * Compares a session's drafts with the learnings of the scope that new ones belong to. Of drafts to be shared, those that concern a private learning of the
 * session's user stay private: the session would otherwise share again what its user made private. They are compared among themselves, before the others.
 */
export async function compareInScopes(
  dependencies: NeighbourDependencies,
  scope: ScopeOfTenant,
  userId: string,
  drafts: readonly LearningDraft[],
  rows: readonly SourceRow[],
  embed: EmbedOnce,
  signal: AbortSignal,
): Promise<readonly Comparison[]> {
  const compare = (within: ScopeOfTenant, some: readonly LearningDraft[]) =>
    compareDrafts(dependencies, within, some, rows, embed, signal);
  if (scope.ownerId !== null) return [await compare(scope, drafts)];
  const own = { ...scope, ownerId: userId };
  const words = await dependencies.database.asTenant(viewOfUser(scope.tenantId, userId), async (transaction) =>
    (await newestLearning(transaction, own)) === null ? null : areKnownWords(transaction, own, drafts),
  );
  // Usually the user has no private learning here.
  if (words === null) return [await compare(scope, drafts)];
  // The model was not shown private learnings: its relations are about shared ones.
  const unrelated = drafts.map(({ relation: _relation, ...draft }): LearningDraft => draft);
  const { placed } = await compare(own, unrelated);
  const related = areKnown(placed.map(({ placing }) => placing));
  const staysPrivate = drafts.map((_, index) => related[index] === true || words[index] === true);
  return [
    await compare(
      own,
      unrelated.filter((_, index) => staysPrivate[index] === true),
    ),
    await compare(
      scope,
      drafts.filter((_, index) => staysPrivate[index] !== true),
    ),
  ];
}
