import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What workflows can be listed by. Ids and closed words only. */
export const SEARCH_ATTRIBUTES = {
  tenant: defineSearchAttributeKey('RecollectTenant', SearchAttributeType.KEYWORD),
  project: defineSearchAttributeKey('RecollectProject', SearchAttributeType.KEYWORD),
  phase: defineSearchAttributeKey('RecollectPhase', SearchAttributeType.KEYWORD),
  waiting: defineSearchAttributeKey('RecollectWaiting', SearchAttributeType.KEYWORD),
} as const;
