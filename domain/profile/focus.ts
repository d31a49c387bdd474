import { verbatimHead } from '../text/clean.ts';
import { overlap, termsOf } from '../text/terms.ts';
import type { FocusLine, FocusSource } from './profile.ts';

/** A step is done if a later session's completed work has this share of its words. */
const DONE_OVERLAP = 0.8;
/** A step or a request with this share of an earlier one's words is a repetition. */
const AGAIN_OVERLAP = 0.8;
/** A request is proven by a prompt with at least this share of its words: a model may have rephrased it. */
const PROVED_SHARE = 0.3;
const MAX_LINES = 12;
const MAX_EVIDENCE = 3;
const QUOTE_CHARS = 300;

/** Returns the prompt with the most words of the request; null if none has enough of them. */
function requestLine(source: FocusSource): FocusLine | null {
  const required = new Set(termsOf(source.request));
  let best: { readonly prompt: FocusSource['prompts'][number]; readonly shared: number } | null = null;
  for (const prompt of source.prompts) {
    const shared = [...new Set(termsOf(prompt.content))].filter((term) => required.has(term)).length;
    if (shared > (best?.shared ?? 0)) best = { prompt, shared };
  }
  if (best === null || best.shared < required.size * PROVED_SHARE) return null;
  const { prompt } = best;
  return {
    kind: 'request',
    text: source.request,
    sessionId: source.sessionId,
    occurredAt: source.occurredAt,
    evidence: [
      {
        rowId: prompt.id,
        sessionId: source.sessionId,
        quote: verbatimHead(prompt.content, QUOTE_CHARS),
        occurredAt: prompt.occurredAt,
      },
    ],
  };
}

/** Returns a session's open steps, without those that a later session of the project completed. */
function stepLines(source: FocusSource, later: readonly FocusSource[]): FocusLine[] {
  const done = later.filter((other) => other.projectId === source.projectId).map((other) => termsOf(other.completed));
  return source.actionItems
    .filter(({ text, evidence }) => {
      const terms = termsOf(text);
      return (
        evidence.length > 0 &&
        !done.some((completed) => completed.length > 0 && coverage(terms, completed) >= DONE_OVERLAP)
      );
    })
    .map(({ text, evidence }) => ({
      kind: 'next_step' as const,
      text,
      sessionId: source.sessionId,
      occurredAt: source.occurredAt,
      evidence: evidence.slice(0, MAX_EVIDENCE).map((piece) => ({
        ...piece,
        sessionId: source.sessionId,
        occurredAt: source.occurredAt,
      })),
    }));
}

/** Returns the share of the first text's words in the other one. */
function coverage(terms: readonly string[], other: readonly string[]): number {
  const required = new Set(terms);
  if (required.size === 0) return 0;
  const had = new Set(other);
  return [...required].filter((term) => had.has(term)).length / required.size;
}

/**
 * Returns the current work of a user from the newest sessions: requests and open steps, each with a quote. At most 12 lines, newest
 * session first.
 */
export function currentFocus(sources: readonly FocusSource[]): readonly FocusLine[] {
  const newestFirst = sources.toSorted(
    (a, b) => b.occurredAt.getTime() - a.occurredAt.getTime() || b.sessionId.localeCompare(a.sessionId),
  );
  const lines: { readonly line: FocusLine; readonly terms: readonly string[] }[] = [];
  for (const [index, source] of newestFirst.entries()) {
    const request = requestLine(source);
    const shown = [...(request === null ? [] : [request]), ...stepLines(source, newestFirst.slice(0, index))];
    for (const line of shown) {
      const terms = termsOf(line.text);
      const again = lines.some(
        (other) => other.line.kind === line.kind && overlap(other.terms, terms) >= AGAIN_OVERLAP,
      );
      if (!again && terms.length > 0) lines.push({ line, terms });
    }
  }
  return lines.slice(0, MAX_LINES).map(({ line }) => line);
}
