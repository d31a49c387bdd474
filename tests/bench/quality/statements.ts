import type { Understanding } from '../summarise/local-quality.ts';

// The unit that is scored: one sentence of a summary, one key point, one item with its title, one learning with its title.

/** Returns what a session leaves behind, each statement once. */
export function statementsOf({ topics, summary, learnings }: Understanding): readonly string[] {
  const cited = (points: readonly { readonly text: string }[]) => points.map(({ text }) => text);
  const all = [
    ...[summary.title, summary.request, ...resultsOf(summary), summary.nextSteps, summary.notes].flatMap(sentences),
    ...cited(summary.keyPoints),
    ...cited(summary.actionItems),
    ...topics.flatMap((topic) => [
      ...[topic.title, topic.content].flatMap(sentences),
      ...cited(topic.keyPoints),
      ...cited(topic.actionItems),
      ...topic.items.map(({ title, content }) => joined(title, [content])),
    ]),
    ...learnings.map(({ title, description, context, examples }) => joined(title, [description, context, ...examples])),
  ];
  return [...new Map(all.filter((text) => text.trim() !== '').map((text) => [folded(text), text.trim()])).values()];
}

/** Returns the texts of a session summary with its results. */
export function resultsOf(summary: Understanding['summary']): readonly string[] {
  return [summary.investigated, summary.learned, summary.completed];
}

export function sentences(text: string): readonly string[] {
  return text.split(/(?<=[.!?…])\s+|(?<=[。！？])|\n+/u).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

/** NFKC, lower case, white space collapsed, without marks at the end. */
export function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\s+/gu, ' ')
    .replace(/[\s.!…:]+$/u, '')
    .trim();
}

/** A title that only shortens the text adds nothing. */
function joined(title: string, parts: readonly string[]): string {
  const text = parts.filter((part) => part !== '').join(' ');
  return folded(text).startsWith(folded(title)) ? text : `${title} ${text}`.trim();
}
