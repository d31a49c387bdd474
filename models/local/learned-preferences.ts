import type { LearningDraft } from '../../domain/ports/model.ts';
import { overlap } from '../../domain/text/terms.ts';
import { confidenceOf } from './confidence.ts';
import { hasCue, isCorrection, isQuestion, isThin, preferenceStrength } from './cues.ts';
import { cite, noteTitle, tagsOf } from './notes.ts';
import type { Sentence } from './segments.ts';

const MAX_STRONG = 5;
const MAX_WEAK = 2;
/** A shorter correction ("no, the other one") means nothing outside its moment. */
const MIN_CORRECTION_TERMS = 7;
const REPEATED_OVERLAP = 0.6;

/** What the user wants in general, and what the user corrected. */
export function preferenceLearnings(sentences: readonly Sentence[], place: string): readonly LearningDraft[] {
  const user = sentences.filter(
    ({ row, text }) =>
      row.type === 'user' && !isQuestion(text) && !isThin(text) && text.length <= 400 && !text.startsWith('('),
  );
  const strong = user.filter(({ text, terms }) => preferenceStrength(text) === 2 && terms.length >= 3);
  const weak = user.filter(({ text, terms }) => {
    if (preferenceStrength(text) === 2) return false;
    if (isCorrection(text)) return terms.length >= MIN_CORRECTION_TERMS;
    return preferenceStrength(text) === 1 && hasCue(text, 'rule') && terms.length >= 5;
  });
  return [...strong.slice(0, MAX_STRONG), ...weak.slice(0, MAX_WEAK)].map((sentence) =>
    learningFrom(sentence, user, place),
  );
}

function learningFrom(sentence: Sentence, user: readonly Sentence[], place: string): LearningDraft {
  const { text, terms, row } = sentence;
  const again = user.find(
    (other) => other.row.id !== row.id && overlap(other.terms, terms) >= REPEATED_OVERLAP && other.terms.length >= 3,
  );
  const before = user.find((other) => other.row.id === row.id && other !== sentence);
  const isStrong = preferenceStrength(text) === 2;
  return {
    category: 'best_practice',
    title: noteTitle(text),
    description: `The user's rule${place}: "${text}"`,
    context: before === undefined ? `Said by the user${place}` : `Said by the user${place}, beside: "${before.text}"`,
    examples: [...text.matchAll(/`([^`]{2,200})`/gu)].map(([, code]) => code ?? '').filter((code) => code !== ''),
    tags: tagsOf([text], ['preference', ...(isCorrection(text) ? ['correction'] : [])]),
    confidence: confidenceOf({
      base: isStrong ? 0.75 : 0.45,
      repeated: again !== undefined || isCorrection(text),
      hedged: hasCue(text, 'hedge'),
    }),
    evidence: [cite(sentence), ...(again ? [cite(again)] : [])],
  };
}
