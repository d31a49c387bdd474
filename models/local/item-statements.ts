import type { ItemKind } from '../../domain/ports/model.ts';
import { hasCue, isQuestion } from './cues.ts';
import type { PlacedItem } from './items.ts';
import { cite, clamped, noteTitle, paragraph, tagsOf } from './notes.ts';
import { diverse, scored } from './ranking.ts';
import type { Sentence } from './segments.ts';

/** A statement of one kind, with the sentence after it where that completes it. */
export interface Statement {
  readonly sentence: Sentence;
  readonly support: Sentence | undefined;
  readonly score: number;
  readonly terms: readonly string[];
}

const MOST_OF_A_KIND = 3;

/** Decisions, discoveries and security notes: things that somebody said in a sentence of the right form. */
export function statementItems(sentences: readonly Sentence[]): readonly PlacedItem[] {
  return [
    ...securityOf(sentences).map((statement) => itemOf('security', 0.8, statement)),
    ...decisionsOf(sentences).map((statement) => itemOf('decision', 0.7, statement)),
    ...discoveriesOf(sentences).map((statement) => itemOf('discovery', 0.6, statement)),
  ];
}

/** Decisions with their reason, in the same sentence or in the one beside it. */
export function decisionsOf(sentences: readonly Sentence[]): readonly Statement[] {
  return bestOf(sentences, (sentence, next) => {
    if (!states(sentence) || !hasCue(sentence.text, 'decision')) return undefined;
    if (hasCue(sentence.text, 'reason')) return { support: undefined };
    return next !== undefined && hasCue(next.text, 'reason') && !isQuestion(next.text) ? { support: next } : undefined;
  });
}

/** What turned out to be the cause of something, or how things are. */
export function discoveriesOf(sentences: readonly Sentence[]): readonly Statement[] {
  return bestOf(sentences, (sentence) =>
    states(sentence) && hasCue(sentence.text, 'cause') && !hasCue(sentence.text, 'hedge') && sentence.terms.length >= 5
      ? { support: undefined }
      : undefined,
  );
}

function securityOf(sentences: readonly Sentence[]): readonly Statement[] {
  return bestOf(sentences, (sentence) =>
    states(sentence) && hasCue(sentence.text, 'security') && sentence.terms.length >= 4
      ? { support: undefined }
      : undefined,
  );
}

function states(sentence: Sentence): boolean {
  return !isQuestion(sentence.text) && !hasCue(sentence.text, 'narration') && !/[:：]$/u.test(sentence.text);
}

function bestOf(
  sentences: readonly Sentence[],
  accept: (sentence: Sentence, next: Sentence | undefined) => { readonly support: Sentence | undefined } | undefined,
): readonly Statement[] {
  const statements = scored(sentences).flatMap((sentence, index): readonly Statement[] => {
    const following = sentences[index + 1];
    const accepted = accept(sentence, following?.row.id === sentence.row.id ? following : undefined);
    return accepted ? [{ sentence, support: accepted.support, score: sentence.score, terms: sentence.terms }] : [];
  });
  return diverse(statements, MOST_OF_A_KIND);
}

function itemOf(kind: ItemKind, base: number, { sentence, support }: Statement): PlacedItem {
  const fromUser = sentence.row.type === 'user';
  return {
    rowIndex: sentence.rowIndex,
    kind,
    title: noteTitle(sentence.text),
    content: paragraph([sentence.text, ...(support ? [support.text] : [])]),
    tags: tagsOf([sentence.text, support?.text ?? '']),
    importance: clamped(base + (fromUser ? 0.1 : 0) - (hasCue(sentence.text, 'hedge') ? 0.15 : 0), 0, 1),
    evidence: [cite(sentence), ...(support ? [cite(support)] : [])],
  };
}
