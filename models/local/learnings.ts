import type { LearningDraft, LearningInput, SourceRow } from '../../domain/ports/model.ts';
import { termsOf } from '../../domain/text/terms.ts';
import { callsOf } from './calls.ts';
import { preferenceLearnings } from './learned-preferences.ts';
import { solutionLearnings } from './learned-solutions.ts';
import { statementLearnings } from './learned-statements.ts';
import { alreadySaid } from './ranking.ts';
import { sentencesOf } from './segments.ts';

const MAX_LEARNINGS = 12;

/** What outlives the session, the surest first, at most twelve, none said twice. */
export function learningsOf(input: LearningInput): readonly LearningDraft[] {
  const rows = inReadingOrder([...input.prompts, ...input.rows]);
  const sentences = sentencesOf(rows);
  const place = input.projectName === null ? '' : ` in ${input.projectName}`;
  const candidates = [
    ...solutionLearnings(callsOf(rows), sentences, place),
    ...preferenceLearnings(sentences, place),
    ...statementLearnings(sentences, input.items, place),
  ].sort((a, b) => b.confidence - a.confidence);
  const kept: LearningDraft[] = [];
  for (const learning of candidates) {
    if (kept.length === MAX_LEARNINGS) break;
    const terms = termsOf(`${learning.title} ${learning.description}`);
    const isKnown = alreadySaid(
      terms,
      kept.map(({ title, description }) => termsOf(`${title} ${description}`)),
    );
    if (learning.evidence.length > 0 && !isKnown) kept.push(learning);
  }
  return kept;
}

/** Rows of both lists, each once, by their place in the session. */
function inReadingOrder(rows: readonly SourceRow[]): readonly SourceRow[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()].sort((a, b) => a.seq - b.seq);
}
