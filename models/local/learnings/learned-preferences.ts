import { overlap } from '../../../domain/text/terms.ts';
import { confidenceOf } from './confidence.ts';
import { hasCue, isCorrection, preferenceStrength } from './cues.ts';
import { headingOf } from '../notes/headings.ts';
import type { ValuedLearning } from './learnings.ts';
import { cite } from '../notes/notes.ts';
import type { Sentence } from '../segments.ts';
import { worthOfUser } from '../notes/spoken-notes.ts';
import { isStandingPreference } from '../notes/wishes.ts';

const REPEATED_OVERLAP = 0.6;

/** Returns the user's general preferences in the user's words. */
export function preferenceLearnings(sentences: readonly Sentence[]): readonly ValuedLearning[] {
  const user = sentences.filter(({ row }) => row.type === 'user');
  return user.filter(isStandingPreference).map((sentence) => {
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
