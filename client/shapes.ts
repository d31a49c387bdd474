/* Shapes of requests and responses, from the schemas of the HTTP API. The build replaces this file by declarations without zod. */

import type { z } from 'zod';
import type {
  contextAnswer,
  contextBody,
  contextsAnswer,
  contextsQuery,
  servedContextDetail,
} from '../contract/context.ts';
import type { densityAnswer, densityQuery, feedAnswer, feedQuery } from '../contract/feed.ts';
import type {
  compactMemorySchema,
  fetchedMemories,
  forgetQuery,
  forgottenMemory,
  memoryCorrection,
  memoryInput,
  memoryQuery,
  memorySchema,
  storedAnswer,
  storedItem,
} from '../contract/memory.ts';
import type { dependencySchema, healthSchema } from '../contract/operations.ts';
import type {
  compactAnswer,
  searchAnswer,
  searchQuery,
  semanticBody,
  suggestAnswer,
  timelineAnswer,
  timelineQuery,
} from '../contract/search.ts';
import type { errorSchema, paginationSchema } from '../contract/shared.ts';
import type { streamEventSchema, streamQuery } from '../contract/stream.ts';

type Fixed<Value> = Value extends object ? { readonly [Key in keyof Value]: Fixed<Value[Key]> } : Value;
type Answer<Schema extends z.ZodType> = Fixed<z.output<Schema>>;
type Body<Schema extends z.ZodType> = Fixed<z.input<Schema>>;
/** Parameters of an address, all optional, as their values instead of their text. */
type Query<Schema extends z.ZodType> = {
  readonly [Key in keyof z.output<Schema>]?: Fixed<z.output<Schema>[Key]> | undefined;
};

export type Memory = Answer<typeof memorySchema>;
export type CompactMemory = Answer<typeof compactMemorySchema>;
export type FetchedMemories = Answer<typeof fetchedMemories>;
export type NewMemory = Body<typeof memoryInput>;
export type StoredMemory = Answer<typeof storedAnswer>;
export type BatchItem = Answer<typeof storedItem>;
export type ForgottenMemory = Answer<typeof forgottenMemory>;
export type ForgetOptions = Query<typeof forgetQuery>;
export type GetOptions = Query<typeof memoryQuery>;
export type MemoryChanges = Body<typeof memoryCorrection>;
export type Pagination = Answer<typeof paginationSchema>;
export type SearchAnswer = Answer<typeof searchAnswer>;
export type CompactAnswer = Answer<typeof compactAnswer>;
export type SearchQuery = Query<typeof searchQuery>;
export type SemanticBody = Body<typeof semanticBody>;
export type SuggestAnswer = Answer<typeof suggestAnswer>;
export type TimelineQuestion = Query<typeof timelineQuery>;
export type MixedTimeline = Answer<typeof timelineAnswer>;
export type ContextBody = Body<typeof contextBody>;
export type ContextAnswer = Answer<typeof contextAnswer>;
export type ServedContexts = Answer<typeof contextsAnswer>;
export type ServedContextsQuery = Query<typeof contextsQuery>;
export type ServedContextDetail = Answer<typeof servedContextDetail>;
export type FeedAnswer = Answer<typeof feedAnswer>;
export type FeedQuery = Query<typeof feedQuery>;
export type FeedDensity = Answer<typeof densityAnswer>;
export type FeedDensityQuery = Query<typeof densityQuery>;
export type StreamMessage = Answer<typeof streamEventSchema>;
export type StreamQuery = Query<typeof streamQuery>;
export type DependencyHealth = Answer<typeof dependencySchema>;
export type FullHealth = Answer<typeof healthSchema>;
export type ErrorAnswer = Answer<typeof errorSchema>;
