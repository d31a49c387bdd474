import type { SessionInput } from '../../../domain/ports/model.ts';
import { termsOf } from '../../../domain/text/terms.ts';

export interface Tools {
  /** o200k tokens of a text. */
  readonly countTokens: (text: string) => number;
}

/** Returns every text of topics and items as displayed. */
export function derivedTexts({ topics, items }: Pick<SessionInput, 'topics' | 'items'>): readonly string[] {
  return [
    ...topics.flatMap(({ title, content, keyPoints, actionItems }) => [
      title,
      content,
      ...[...keyPoints, ...actionItems].map(({ text }) => text),
    ]),
    ...items.flatMap(({ title, content }) => [title, content]),
  ].filter((text) => text !== '');
}

/** Returns a function for a text's similarity to the nearest of these, 0–1: the common share of its words. */
export function nearestOf(texts: readonly string[]): (of: { readonly text: string }) => number {
  const all = texts.map((text) => new Set(termsOf(text)));
  return ({ text }) => {
    const terms = [...new Set(termsOf(text))];
    if (terms.length === 0) return 1;
    return all.reduce(
      (most, other) => Math.max(most, terms.filter((term) => other.has(term)).length / terms.length),
      0,
    );
  };
}
