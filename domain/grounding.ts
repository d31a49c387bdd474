import type {
  CitedText,
  Evidence,
  ItemDraft,
  LearningDraft,
  SessionInput,
  SessionSummaryDraft,
  TopicSummaryDraft,
} from './ports/model.ts';

/** A row that quotes are checked against. An id may occur several times: a quote is valid if one of its rows contains it. */
export interface QuotableRow {
  readonly id: string;
  readonly content: string;
}

export interface Grounded<Output> {
  /** The output with supported claims only. */
  readonly supported: Output;
  /** Number of dropped claims (key points, action items, items, learnings). */
  readonly dropped: number;
}

interface Claim {
  readonly evidence: readonly Evidence[];
}

/** Returns true if the row contains the quote verbatim and it is not blank. */
export function quoteMatches(row: Pick<QuotableRow, 'content'>, quote: string): boolean {
  return quote.trim() !== '' && row.content.includes(quote);
}

/** Drops key points, action items and items with missing or invalid evidence. */
export function groundTopic(draft: TopicSummaryDraft, rows: readonly QuotableRow[]): Grounded<TopicSummaryDraft> {
  const keyPoints = groundClaims(draft.keyPoints, rows);
  const actionItems = groundClaims(draft.actionItems, rows);
  const items = groundItems(draft.items, rows);
  return {
    supported: { ...draft, keyPoints: keyPoints.supported, actionItems: actionItems.supported, items: items.supported },
    dropped: keyPoints.dropped + actionItems.dropped + items.dropped,
  };
}

/** As {@link groundTopic}, for a session summary; {@link quotableRows} gives the rows. */
export function groundSession(draft: SessionSummaryDraft, rows: readonly QuotableRow[]): Grounded<SessionSummaryDraft> {
  const keyPoints = groundClaims<CitedText>(draft.keyPoints, rows);
  const actionItems = groundClaims<CitedText>(draft.actionItems, rows);
  return {
    supported: { ...draft, keyPoints: keyPoints.supported, actionItems: actionItems.supported },
    dropped: keyPoints.dropped + actionItems.dropped,
  };
}

/** Drops items with invalid evidence. */
export function groundItems(items: readonly ItemDraft[], rows: readonly QuotableRow[]): Grounded<readonly ItemDraft[]> {
  return groundClaims(items, rows);
}

/** Drops learnings with invalid evidence. */
export function groundLearnings(
  learnings: readonly LearningDraft[],
  rows: readonly QuotableRow[],
): Grounded<readonly LearningDraft[]> {
  return groundClaims(learnings, rows);
}

/**
 * Returns the claims whose evidence exists and occurs verbatim in the cited rows. One false quote drops the claim: the remaining ones were
 * not meant to prove it alone.
 */
function groundClaims<Item extends Claim>(
  claims: readonly Item[],
  rows: readonly QuotableRow[],
): Grounded<readonly Item[]> {
  const byId = Map.groupBy(rows, (row) => row.id);
  const supported = claims.filter(
    (claim) =>
      claim.evidence.length > 0 &&
      claim.evidence.every(({ rowId, quote }) => byId.get(rowId)?.some((row) => quoteMatches(row, quote)) ?? false),
  );
  return { supported, dropped: claims.length - supported.length };
}

/**
 * Returns the texts that a session summary may quote: the session's prompts, and the quotes of its topics and items. These were checked
 * against their rows when they were stored, so the rows need not be read again.
 */
export function quotableRows(input: SessionInput): readonly QuotableRow[] {
  const claims: readonly Claim[] = [
    ...input.topics.flatMap((topic) => [...topic.keyPoints, ...topic.actionItems]),
    ...input.items,
  ];
  const quoted = claims.flatMap((claim) => claim.evidence.map(({ rowId, quote }) => ({ id: rowId, content: quote })));
  return [...input.prompts, ...quoted];
}
