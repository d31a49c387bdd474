/** Inputs and outputs of the summarising model. Adapters: `models/local`, and by protocol `models/claude`, `models/openai`, `models/claude-cli`. */

import type { DataClass } from '../data-classes.ts';

/** Outside providers of the summarising model: Anthropic's Messages API, a server with chat completions, the user's own `claude` program. */
export const OUTSIDE_PROVIDERS = ['anthropic', 'openai', 'claude-cli'] as const;
export type OutsideProvider = (typeof OUTSIDE_PROVIDERS)[number];

/** Every provider of the summarising model: a closed set, used as label of metrics. */
export const MODEL_PROVIDERS = ['local', ...OUTSIDE_PROVIDERS] as const;
export type ModelProvider = (typeof MODEL_PROVIDERS)[number];

export const ITEM_KINDS = ['bugfix', 'feature', 'refactor', 'change', 'discovery', 'decision', 'security'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

export const LEARNING_CATEGORIES = ['pattern', 'solution', 'error', 'config', 'best_practice', 'general'] as const;
export type LearningCategory = (typeof LEARNING_CATEGORIES)[number];

/** One stored row of a session as a model reads it. */
export interface SourceRow {
  readonly id: string;
  readonly seq: number;
  readonly role: 'prompt' | 'observation';
  /** For prompts the speaker, for observations the event type. */
  readonly type: 'user' | 'assistant' | 'system' | 'tool' | 'tool_result' | 'error' | 'warning' | 'info';
  /** Tool of the event; null for prompts and manual notes. */
  readonly tool: string | null;
  /** One line that names the event ("Bash: npm test"); empty for prompts. */
  readonly title: string;
  /** The full stored text; for tool calls the rendered input, a blank line, then the output. */
  readonly content: string;
  /** o200k tokens of `content`. */
  readonly tokens: number;
  readonly dataClass: DataClass;
  readonly filesRead: readonly string[];
  readonly filesModified: readonly string[];
  /** RFC 3339. */
  readonly occurredAt: string;
}

/** A current learning as a model reads it. */
export interface KnownLearning {
  readonly id: string;
  readonly category: LearningCategory;
  readonly title: string;
  readonly description: string;
}

/** A pointer into stored rows. The row's `content` must contain `quote` verbatim, else the claim is dropped. */
export interface Evidence {
  readonly rowId: string;
  readonly quote: string;
}

/** A sentence with its evidence. */
export interface CitedText {
  readonly text: string;
  readonly evidence: readonly Evidence[];
}

export interface ItemDraft {
  readonly kind: ItemKind;
  /** At most 120 characters. */
  readonly title: string;
  readonly content: string;
  readonly tags: readonly string[];
  /** 0–1 */
  readonly importance: number;
  readonly evidence: readonly Evidence[];
}

export interface TopicSummaryDraft {
  readonly title: string;
  readonly content: string;
  readonly keyPoints: readonly CitedText[];
  readonly actionItems: readonly CitedText[];
  readonly items: readonly ItemDraft[];
}

export interface SessionSummaryDraft {
  readonly title: string;
  readonly request: string;
  readonly investigated: string;
  readonly learned: string;
  readonly completed: string;
  readonly nextSteps: string;
  readonly notes: string;
  readonly keyPoints: readonly CitedText[];
  readonly actionItems: readonly CitedText[];
}

/** Relation of a new learning to a known one. `same`: only further evidence. */
export interface LearningRelation {
  readonly kind: 'same' | 'refines' | 'contradicts';
  readonly knownId: string;
}

export interface LearningDraft {
  readonly category: LearningCategory;
  readonly title: string;
  readonly description: string;
  readonly context: string;
  readonly examples: readonly string[];
  readonly tags: readonly string[];
  /** 0–1 */
  readonly confidence: number;
  readonly evidence: readonly Evidence[];
  /** The model's relation to `LearningInput.known`; absent if the model leaves it to rules, null for a new learning. */
  readonly relation?: LearningRelation | null;
}

export interface WindowInput {
  readonly projectName: string | null;
  /** The project's known names (files, tools, concepts), equal for every window of a project and day: part of the stable prefix. */
  readonly glossary: readonly string[];
  /** The last user request before this window; null in the first window. */
  readonly precedingRequest: Pick<SourceRow, 'content' | 'dataClass'> | null;
  /** The project's nearest current learnings, at most 20: repeating one adds nothing. */
  readonly known: readonly KnownLearning[];
  readonly rows: readonly SourceRow[];
}

/** A stored item as input for the session summary and the learnings. */
export interface StoredItem extends ItemDraft {
  readonly id: string;
}

/** A stored topic summary. */
export interface StoredTopic {
  readonly id: string;
  readonly title: string;
  readonly content: string;
  readonly keyPoints: readonly CitedText[];
  readonly actionItems: readonly CitedText[];
}

export interface SessionInput {
  readonly projectName: string | null;
  /** As in {@link WindowInput}. */
  readonly glossary: readonly string[];
  readonly topics: readonly StoredTopic[];
  readonly items: readonly StoredItem[];
  /** User and assistant prompts of the session in order; without the middle if there are too many. */
  readonly prompts: readonly SourceRow[];
}

export interface LearningInput extends SessionInput {
  /** Rows that items cite, error observations, and the calls after them: the rows that a learning may quote. */
  readonly rows: readonly SourceRow[];
  /** The current learnings nearest to this session, at most 20. */
  readonly known: readonly KnownLearning[];
}

/** Cost of one call, as its provider counts it. */
export interface ModelUsage {
  readonly provider: ModelProvider;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of `inputTokens` read from the provider's prompt cache. */
  readonly tokensCached: number;
  /** Part of `inputTokens` written to the provider's prompt cache. */
  readonly tokensCacheWritten: number;
  readonly costUsd: number;
  /** The call was part of a provider batch. */
  readonly batch: boolean;
  readonly latencyMs: number;
}

/** A usable response, or why it is unusable. */
export type Reading<Output> =
  | { readonly ok: true; readonly output: Output }
  | {
      readonly ok: false;
      readonly kind: 'refused' | 'truncated' | 'invalid_output';
      /** For the model; may contain its own words. */
      readonly problem: string;
      /** For people: places in the schema, never words of the response. */
      readonly where: string;
    };

export interface ModelResponse<Output> {
  /** As the model wrote it. `PreparedCall.read` of the same request parses it again. */
  readonly text: string;
  readonly reading: Reading<Output>;
  readonly usage: ModelUsage;
}

/** A model request with the parser of its responses; nothing was counted or sent yet. */
export interface ModelRequest<Output> {
  /** Digest of everything else that shapes a response: instructions, schema, model. */
  readonly promptVersion: string;
  /**
   * The variable part as the model reads it, without ids, times and marks: the same rows in another session give the same text. It numbers
   * the rows in order, so a response can be applied to the rows of another identical request.
   */
  readonly requestText: string;
  /** Parses a response to an identical request. */
  read(text: string): Reading<Output>;
}

/** A model call before it is sent, with its cost. */
export interface PreparedCall<Output> extends ModelRequest<Output> {
  readonly provider: ModelProvider;
  readonly model: string;
  /** Input tokens as the provider counts them, stable prefix included. */
  readonly inputTokens: number;
  /** Limit of the response. */
  readonly maxTokensOut: number;
  /** Maximum cost in US dollars: nothing cached, the longest response. */
  readonly maxUsd: number;
  /** Sends the request. @throws ModelError; the signal's reason if the caller aborted. */
  send(signal: AbortSignal): Promise<ModelResponse<Output>>;
  /** Prepares a repair call after an unusable response. */
  repair(text: string, problem: string, signal: AbortSignal): Promise<PreparedCall<Output>>;
}

export interface ModelPort {
  /** Name for logs and health, e.g. `local-extractive-1` or the provider's model names. */
  readonly name: string;
  readonly provider: ModelProvider;
  /** Prepare a call. @throws ModelError, also if the request cannot fit its limit. */
  prepareWindow(input: WindowInput, signal: AbortSignal): Promise<PreparedCall<TopicSummaryDraft>>;
  prepareSession(input: SessionInput, signal: AbortSignal): Promise<PreparedCall<SessionSummaryDraft>>;
  prepareLearnings(input: LearningInput, signal: AbortSignal): Promise<PreparedCall<readonly LearningDraft[]>>;
  /** Return the request of the same call without counting its tokens: for cached responses, and those that arrive hours later. @throws ModelError */
  windowRequest(input: WindowInput): ModelRequest<TopicSummaryDraft>;
  sessionRequest(input: SessionInput): ModelRequest<SessionSummaryDraft>;
  learningsRequest(input: LearningInput): ModelRequest<readonly LearningDraft[]>;
  /** The provider's batches at a lower price; null if it has none. */
  readonly batches: ModelBatches | null;
}

/** The configured models, each list in the order in which they are used. */
export interface Models {
  /** Names for logs. */
  readonly name: string;
  /** Returns the models of a window: its size and failures decide whether a small model suffices. */
  ofWindow(rows: readonly SourceRow[]): readonly ModelPort[];
  /** Models of session summaries and learnings. */
  readonly large: readonly ModelPort[];
  /** The model whose provider has batches; null without one. */
  readonly batching: ModelPort | null;
}

/** Outcome of one call of a batch. */
export type BatchOutcome = { readonly customId: string } & (
  | {
      readonly kind: 'answered';
      readonly text: string;
      /** Null, or why the model stopped early. */
      readonly stopped: 'refused' | 'truncated' | null;
      readonly usage: ModelUsage;
    }
  | { readonly kind: 'failed'; readonly error: ModelErrorKind }
  | { readonly kind: 'expired' | 'cancelled' }
);

export interface BatchView {
  readonly batchId: string;
  readonly ended: boolean;
  /** Unix times in milliseconds. */
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** All calls, and the unfinished ones. */
  readonly calls: number;
  readonly processing: number;
}

/** Batches of one provider account. Every method throws ModelError; `invalid_request` for an unknown batch. */
export interface ModelBatches {
  /** Submits calls that this port prepared; ids are 1–64 of `[A-Za-z0-9_-]`, unique in the batch. */
  submit(
    calls: readonly { readonly customId: string; readonly call: PreparedCall<unknown> }[],
    signal: AbortSignal,
  ): Promise<BatchView>;
  poll(batchId: string, signal: AbortSignal): Promise<BatchView>;
  /** Lists batches created at that time or later, newest first, at most 100: finds one whose response was lost. */
  since(createdAtMs: number, signal: AbortSignal): Promise<readonly BatchView[]>;
  /** Streams the outcomes of an ended batch, in any order. */
  results(batchId: string, signal: AbortSignal): AsyncIterable<BatchOutcome>;
  cancel(batchId: string, signal: AbortSignal): Promise<void>;
}

/** Why a model call has no usable response. Closed: `activities/failures.ts` maps each kind to a retry decision. */
export const MODEL_ERROR_KINDS = [
  'rate_limited',
  'overloaded',
  'timeout',
  'unavailable',
  'unauthorised',
  'invalid_request',
  'refused',
  'truncated',
  'invalid_output',
] as const;
export type ModelErrorKind = (typeof MODEL_ERROR_KINDS)[number];

/** The message never contains captured text. `usage` is the cost of failed calls. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly kind: ModelErrorKind;
  /** From the provider's `retry-after`; undefined without one. */
  readonly retryAfterMs: number | undefined;
  readonly usage: readonly ModelUsage[];

  constructor(
    kind: ModelErrorKind,
    message: string,
    detail: { retryAfterMs?: number; usage?: readonly ModelUsage[]; cause?: unknown } = {},
  ) {
    super(message, { cause: detail.cause });
    this.kind = kind;
    this.retryAfterMs = detail.retryAfterMs;
    this.usage = detail.usage ?? [];
  }
}
