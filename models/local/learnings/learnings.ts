import type { LearningDraft, LearningInput, SourceRow } from '../../../domain/ports/model.ts';
import { overlap, termsOf } from '../../../domain/text/terms.ts';
import { callsOf } from '../calls.ts';
import { confidenceOf } from './candidate.ts';
import { hasCue, isCorrection, preferenceStrength } from './cues.ts';
import { solutionLearnings } from './learned-solutions.ts';
import { statementLearnings } from './learned-statements.ts';
import { derivedTexts, nearestOf } from './derived-texts.ts';
import type { Tools } from './derived-texts.ts';
import { touchedFilesOf } from '../notes/file-names.ts';
import { cite, headingOf, isLastingPreference } from '../notes/notes.ts';
import { worthOfUser } from '../notes/spoken-notes.ts';
import { isRepeated } from '../ranking.ts';
import { sentencesOf } from '../segments.ts';
import type { Sentence } from '../segments.ts';

const MAX_LEARNINGS = 12;
/** Tokens of learnings relative to those of topics and items. */
const SHARE = 0.16;
const LEAST_TOKENS = 320;
/** A learning with this similarity to topics and items adds nothing. */
const SAME_AS_DERIVED = 0.75;
/** Knowledge for later sessions, which read learnings before items: a solution and a reasoned decision may be in both. */
const OUTLIVES: ReadonlySet<string> = new Set(['solution', 'pattern', 'best_practice']);
const OVERHEAD_TOKENS = 10;

/**
 * Returns the lasting knowledge, most reliable first, at most twelve, without duplicates. Content of topics and items is mostly excluded;
 * known learnings are returned again, because their evidence grows, and use no tokens of the budget.
 */
export function learningsOf(input: LearningInput, { countTokens }: Tools): readonly LearningDraft[] {
  const rows = inReadingOrder([...input.prompts, ...input.rows]);
  const sentences = sentencesOf(rows);
  const derived = derivedTexts(input);
  const nearDerived = nearestOf(derived);
  const nearKnown = nearestOf(input.known.map(({ description }) => description));
  const onlyTouched = touchedFilesOf(rows, derived);
  const candidates = [
    ...preferenceLearnings(sentences),
    ...solutionLearnings(callsOf(rows), sentences),
    ...statementLearnings(sentences),
  ]
    .filter(({ draft }) => onlyTouched(textOf(draft)))
    .map(({ draft, value }) => {
      const isKnown = nearKnown({ text: draft.description }) >= SAME_AS_DERIVED;
      const tokens = isKnown ? 0 : tokensOf(draft, countTokens);
      return { draft, tokens, isKnown, density: value / (tokens + OVERHEAD_TOKENS) };
    })
    .filter(
      ({ draft, isKnown }) =>
        isKnown || OUTLIVES.has(draft.category) || nearDerived({ text: draft.description }) < SAME_AS_DERIVED,
    )
    .sort((a, b) => b.density - a.density);
  let remaining = Math.max(LEAST_TOKENS, Math.floor(derived.reduce((sum, text) => sum + countTokens(text), 0) * SHARE));
  const chosen: LearningDraft[] = [];
  const chosenTerms: (readonly string[])[] = [];
  for (const { draft, tokens } of candidates) {
    if (chosen.length === MAX_LEARNINGS) break;
    const terms = termsOf(draft.description);
    if (tokens > remaining || draft.evidence.length === 0 || isRepeated(terms, chosenTerms)) continue;
    chosen.push(draft);
    chosenTerms.push(terms);
    remaining -= tokens;
  }
  return chosen.sort((a, b) => b.confidence - a.confidence);
}

/** A learning with the probability of its use. */
export interface ValuedLearning {
  readonly draft: LearningDraft;
  readonly value: number;
}

function tokensOf(draft: LearningDraft, countTokens: (text: string) => number): number {
  return countTokens(textOf(draft));
}

function textOf({ title, description, context, examples, tags }: LearningDraft): string {
  return [title, description, context, ...examples, ...tags].join('\n');
}

/** Joins rows without duplicates in session order. */
function inReadingOrder(rows: readonly SourceRow[]): readonly SourceRow[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()].sort((a, b) => a.seq - b.seq);
}

const REPEATED_OVERLAP = 0.6;

/** Returns the user's general preferences in the user's words. */
export function preferenceLearnings(sentences: readonly Sentence[]): readonly ValuedLearning[] {
  const user = sentences.filter(({ row }) => row.type === 'user');
  return user.filter(isLastingPreference).map((sentence) => {
    const { text, terms, row } = sentence;
    const again = user.find(
      (other) => other.row.id !== row.id && overlap(other.terms, terms) >= REPEATED_OVERLAP && other.terms.length >= 3,
    );
    return {
      value: worthOfUser(sentence) + (again ? 0.3 : 0),
      draft: {
        category: 'best_practice',
        title: headingOf(terms, text),
        description: text,
        context: '',
        examples: [],
        tags: ['preference'],
        confidence: confidenceOf({
          base: preferenceStrength(text) === 2 ? 0.75 : 0.55,
          repeated: again !== undefined || isCorrection(text),
          hedged: hasCue(text, 'hedge'),
        }),
        evidence: [cite(sentence), ...(again ? [cite(again)] : [])],
      },
    };
  });
}
