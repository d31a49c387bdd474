import type { LearningCategory } from '../../../domain/ports/model.ts';
import { confidenceOf } from './candidate.ts';
import { hasCue, isQuestion } from './cues.ts';
import { cite, headingOf, tagsOf } from '../notes/notes.ts';
import type { ValuedLearning } from './learnings.ts';
import type { Sentence } from '../segments.ts';

/** A setting with its value or effect. */
const SETS =
  /\b(?:is|are|was|set(?:s|ting)? (?:to|in|by)|loads?|reads?|uses?|requires?|needs?|defaults? to|overr\w+|holds?|expects?|lives? in|comes? from|must)\b|=|是|设为|需要/iu;
/** A file, a variable or code: without one a sentence about settings is unspecific. */
const NAMES_SOMETHING =
  /`[^`]+`|\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|\w\.(?:toml|ya?ml|json|ini|cfg|conf|env)\b|(?:^|\s)\.env\b|=/u;
const ERROR_NAME = /\b(?:\w+(?:Error|Exception)|TS\d{4,5}|E[A-Z]{4,}|error|fail\w*|crash\w*|broke\w*)\b|错误|失败/u;
/** A mere state ("the file is missing") is temporary; an explanation lasts. */
const EXPLAINS =
  /\b(?:because|since|due to|caused by|cause|turn(?:s|ed) out|the (?:\w+ )?(?:problem|issue|bug|culprit|reason))\b|原因|由于|导致|ため/iu;
const MAX_CHARACTERS = 320;

/** Returns reasoned decisions, found causes, and configuration facts, each as one self-contained sentence. */
export function statementLearnings(sentences: readonly Sentence[]): readonly ValuedLearning[] {
  return sentences.flatMap((sentence) => {
    const { text, row } = sentence;
    const explained = hasCue(text, 'reason');
    const isUsers = row.type === 'user';
    const kind = kindOf(sentence);
    if (kind === null) return [];
    return [
      {
        value: kind.value + (isUsers ? 0.3 : 0) + (explained ? 0.2 : 0) - (hasCue(text, 'hedge') ? 0.2 : 0),
        draft: {
          category: kind.category,
          title: headingOf(sentence.terms, text),
          description: text,
          context: '',
          examples: [],
          tags: tagsOf([text]).slice(0, 2),
          confidence: confidenceOf({
            base: 0.5 + (isUsers ? 0.15 : 0),
            explained: explained || kind.category === 'error',
            repeated: sentences.some((other) => other.row.id !== row.id && other.text === text),
            hedged: hasCue(text, 'hedge'),
          }),
          evidence: [cite(sentence)],
        },
      },
    ];
  });
}

/** Returns true for a sentence that is a learning by itself, and so is excluded from session summaries. */
export function isLastingStatement(sentence: Sentence): boolean {
  return kindOf(sentence) !== null;
}

function kindOf(sentence: Sentence): { readonly category: LearningCategory; readonly value: number } | null {
  const { text, terms, stated } = sentence;
  if (!states(sentence)) return null;
  if (stated === 'decision') return { category: 'pattern', value: 0.7 };
  if (stated === 'preference') return { category: 'best_practice', value: 0.7 };
  if (sentence.fragment) return null;
  if (hasCue(text, 'cause') && EXPLAINS.test(text) && !hasCue(text, 'hedge') && terms.length >= 5)
    return { category: ERROR_NAME.test(text) ? 'error' : 'general', value: 0.6 };
  return isConfigFact(sentence) ? { category: 'config', value: 0.4 } : null;
}

function isConfigFact({ text, quote, terms, stated }: Sentence): boolean {
  return (
    hasCue(text, 'config') &&
    SETS.test(text) &&
    NAMES_SOMETHING.test(quote) &&
    terms.length >= 4 &&
    !/^(?:i|we|why|what|how)\b/iu.test(text) &&
    stated !== 'next' &&
    !(['hedge', 'goal', 'done'] as const).some((cue) => hasCue(text, cue))
  );
}

function states({ text }: Sentence): boolean {
  return (
    text.length <= MAX_CHARACTERS &&
    !isQuestion(text) &&
    !(['narration', 'pointing', 'apology'] as const).some((cue) => hasCue(text, cue)) &&
    !/[:：]$/u.test(text)
  );
}
