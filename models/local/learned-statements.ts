import type { LearningCategory, LearningDraft, StoredItem } from '../../domain/ports/model.ts';
import { confidenceOf } from './confidence.ts';
import { hasCue, isQuestion } from './cues.ts';
import { decisionsOf, discoveriesOf, type Statement } from './item-statements.ts';
import { cite, noteTitle, paragraph, tagsOf } from './notes.ts';
import { diverse, scored } from './ranking.ts';
import type { Sentence } from './segments.ts';

const MAX_CONFIG_FACTS = 3;
/** A setting with its value or effect. */
const SETS =
  /\b(?:is|are|was|set(?:s|ting)? (?:to|in|by)|loads?|reads?|uses?|requires?|needs?|defaults? to|overr\w+|holds?|expects?|lives? in|comes? from|must)\b|=|是|设为|需要/iu;
/** A file, a variable or code: without one a sentence about settings is talk. */
const NAMES_SOMETHING =
  /`[^`]+`|\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|\w\.(?:toml|ya?ml|json|ini|cfg|conf|env)\b|(?:^|\s)\.env\b|=/u;
const ERROR_NAME = /\b(?:\w+(?:Error|Exception)|TS\d{4,5}|E[A-Z]{4,}|error|fail\w*|crash\w*|broke\w*)\b|错误|失败/u;

/** Decisions with their reason, causes that were found, and facts of configuration. */
export function statementLearnings(
  sentences: readonly Sentence[],
  items: readonly StoredItem[],
  place: string,
): readonly LearningDraft[] {
  return [
    ...decisionsOf(sentences).map((statement) => learningFrom('pattern', 0.5, statement, sentences, `Decided${place}`)),
    ...discoveriesOf(sentences).map((statement) =>
      learningFrom(
        ERROR_NAME.test(statement.sentence.text) ? 'error' : 'general',
        0.4,
        statement,
        sentences,
        `Found out${place}`,
      ),
    ),
    ...configFactsOf(sentences).map((statement) =>
      learningFrom('config', 0.5, statement, sentences, `Configuration${place}`),
    ),
    ...items.flatMap((item) =>
      item.kind === 'decision' || item.kind === 'security' ? [learningFromItem(item, place)] : [],
    ),
  ];
}

function configFactsOf(sentences: readonly Sentence[]): readonly Statement[] {
  const facts = scored(sentences).filter(
    ({ text, quote, terms }) =>
      hasCue(text, 'config') &&
      SETS.test(text) &&
      NAMES_SOMETHING.test(quote) &&
      !hasCue(text, 'pointing') &&
      !/^(?:i|we|why|what|how)\b/iu.test(text) &&
      terms.length >= 4 &&
      !isQuestion(text) &&
      !hasCue(text, 'narration') &&
      !hasCue(text, 'hedge') &&
      !hasCue(text, 'goal') &&
      !hasCue(text, 'next') &&
      !hasCue(text, 'done') &&
      !/[:：]$/u.test(text),
  );
  return diverse(facts, MAX_CONFIG_FACTS).map((sentence) => ({
    sentence,
    support: undefined,
    score: sentence.score,
    terms: sentence.terms,
  }));
}

function learningFrom(
  category: LearningCategory,
  base: number,
  { sentence, support }: Statement,
  sentences: readonly Sentence[],
  context: string,
): LearningDraft {
  const isUsers = sentence.row.type === 'user';
  return {
    category,
    title: noteTitle(sentence.text),
    description: paragraph([sentence.text, ...(support ? [support.text] : [])]),
    context: isUsers ? `${context} by the user` : context,
    examples: codeIn([sentence, ...(support ? [support] : [])]),
    tags: tagsOf([sentence.text, support?.text ?? '']),
    confidence: confidenceOf({
      base: base + (isUsers ? 0.15 : 0),
      explained: hasCue(`${sentence.text} ${support?.text ?? ''}`, 'reason') || category === 'error',
      repeated: sentences.some((other) => other.row.id !== sentence.row.id && other.text === sentence.text),
      hedged: hasCue(sentence.text, 'hedge'),
    }),
    evidence: [cite(sentence), ...(support ? [cite(support)] : [])],
  };
}

/** A decision whose words are not among the prompts that were kept still counts: its item holds the proof. */
function learningFromItem(item: StoredItem, place: string): LearningDraft {
  return {
    category: 'pattern',
    title: item.title,
    description: item.content,
    context: `${item.kind === 'security' ? 'Security' : 'Decided'}${place}`,
    examples: [],
    tags: item.tags,
    confidence: confidenceOf({
      base: 0.45,
      explained: hasCue(item.content, 'reason'),
      hedged: hasCue(item.content, 'hedge'),
    }),
    evidence: item.evidence,
  };
}

function codeIn(sentences: readonly Sentence[]): readonly string[] {
  const spans = sentences.flatMap(({ quote }) =>
    [...quote.matchAll(/`([^`\n]{3,200})`/gu)].map(([, code]) => code ?? ''),
  );
  return [...new Set(spans)].filter((code) => code !== '').slice(0, 3);
}
