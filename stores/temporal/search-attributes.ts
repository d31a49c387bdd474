import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { ATTRIBUTES } from '../../workflows/search-attributes.ts';

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

/** `ATTRIBUTES` as keys of the client. */
export const SEARCH_ATTRIBUTES = {
  tenant: keyword(ATTRIBUTES.tenant.name),
  project: keyword(ATTRIBUTES.project.name),
  phase: keyword(ATTRIBUTES.phase.name),
  waiting: keyword(ATTRIBUTES.waiting.name),
} as const;
