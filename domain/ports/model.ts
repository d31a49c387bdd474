/** What a model is asked to understand, and what it must answer. Adapters: `models/local` and `models/claude`. */

export const ITEM_KINDS = ['bugfix', 'feature', 'refactor', 'change', 'discovery', 'decision', 'security'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

export const LEARNING_CATEGORIES = ['pattern', 'solution', 'error', 'config', 'best_practice', 'general'] as const;
export type LearningCategory = (typeof LEARNING_CATEGORIES)[number];

/** One stored row of a session as a model sees it, in reading order. */
export interface SourceRow {
  readonly id: string;
  readonly seq: number;
  readonly role: 'prompt' | 'observation';
  /** For prompts: who spoke. For observations: what kind of event. */
  readonly type: 'user' | 'assistant' | 'system' | 'tool' | 'tool_result' | 'error' | 'warning' | 'info';
  /** Tool that the event came from; null for prompts and for events noted by hand. */
  readonly tool: string | null;
  /** One line that names the event ("Bash: npm test"); empty for prompts. */
  readonly title: string;
  /** The whole stored text: for tool calls the rendered input, a blank line, then the output. */
  readonly content: string;
  /** o200k tokens of `content`. */
  readonly tokens: number;
  readonly filesRead: readonly string[];
  readonly filesModified: readonly string[];
  /** RFC 3339. */
  readonly occurredAt: string;
}

/** A learning that stands, as a model is told of it. */
export interface KnownLearning {
  readonly id: string;
  readonly category: LearningCategory;
  readonly title: string;
  readonly description: string;
}

/** A pointer into stored rows. `quote` must stand verbatim in that row's `content`, else the claim is dropped. */
export interface Evidence {
  readonly rowId: string;
  readonly quote: string;
}

/** A sentence with the rows it came from. */
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

/** How a new learning stands to one that is known. `same`: nothing but more evidence. */
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
  /** What the model says of it and `LearningInput.known`; absent where the model leaves that to rules, null for news. */
  readonly relation?: LearningRelation | null;
}

export interface WindowInput {
  readonly projectName: string | null;
  /** Names that the project is known by (files, tools, concepts), the same for every window of a project and day: part of the stable prefix. */
  readonly glossary: readonly string[];
  /** What the user had asked before this window began; null in the first window. */
  readonly precedingRequest: string | null;
  /** What the project knows already, nearest first, at most 20: what says the same is not news. */
  readonly known: readonly KnownLearning[];
  readonly rows: readonly SourceRow[];
}

/** Item as stored, given back to the model for the session summary and the learnings. */
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
  /** User and assistant prompts of the session in order; the middle is left out when they are too many. */
  readonly prompts: readonly SourceRow[];
}

export interface LearningInput extends SessionInput {
  /** Rows that the items cite, error observations, and the calls that followed them: what a learning may quote. */
  readonly rows: readonly SourceRow[];
  /** What stands already and is near to this session, nearest first, at most 20. */
  readonly known: readonly KnownLearning[];
}

/** What one call cost, as its provider counted it. */
export interface ModelUsage {
  readonly provider: 'local' | 'anthropic';
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The part of `inputTokens` that the provider served from its prompt cache. */
  readonly tokensCached: number;
  /** The part of `inputTokens` that the provider wrote to its prompt cache. */
  readonly tokensCacheWritten: number;
  readonly costUsd: number;
  /** The call was a part of a provider batch. */
  readonly batch: boolean;
  readonly latencyMs: number;
}

/** An answer as it can be used, or why it cannot. */
export type Reading<Output> =
  | { readonly ok: true; readonly output: Output }
  | {
      readonly ok: false;
      readonly kind: 'refused' | 'truncated' | 'invalid_output';
      /** For the model, which may find its own words in it. */
      readonly problem: string;
      /** For people: places in the schema, never words of the answer. */
      readonly where: string;
    };

export interface ModelResponse<Output> {
  /** As the model wrote it. `PreparedCall.read` of the same question reads it again. */
  readonly text: string;
  readonly reading: Reading<Output>;
  readonly usage: ModelUsage;
}

/** A question to a model, and how its answers are read; nothing was counted or asked for it. */
export interface ModelRequest<Output> {
  /** Digest of everything that shapes an answer beside the question: instructions, schema, model. */
  readonly promptVersion: string;
  /**
   * The variable part as the model reads it, without ids, times and marks: the same rows in another session give the same text. Short
   * row ids stand in it in the order of the rows, so that an answer to the same question can be read for other rows.
   */
  readonly question: string;
  /** Reads an answer that was given to the same question before. */
  read(text: string): Reading<Output>;
}

/** One call of a model that was not made yet: what it will cost is known. */
export interface PreparedCall<Output> extends ModelRequest<Output> {
  readonly provider: 'local' | 'anthropic';
  readonly model: string;
  /** Input tokens as the provider counts them, the stable prefix included. */
  readonly inputTokens: number;
  /** Bound of the answer. */
  readonly maxTokensOut: number;
  /** What the call costs at most, US dollars: nothing cached, the longest answer. */
  readonly maxUsd: number;
  /** Makes the call. @throws ModelError; the signal's reason if the caller aborted. */
  ask(signal: AbortSignal): Promise<ModelResponse<Output>>;
  /** The call that asks once more after an answer that cannot be used. */
  again(text: string, problem: string, signal: AbortSignal): Promise<PreparedCall<Output>>;
}

export interface ModelPort {
  /** Name for logs and health, e.g. `local-extractive-1` or the provider's model names. */
  readonly name: string;
  readonly provider: 'local' | 'anthropic';
  /** Each prepares a call. @throws ModelError, also where the request cannot be made to fit its bound. */
  prepareWindow(input: WindowInput, signal: AbortSignal): Promise<PreparedCall<TopicSummaryDraft>>;
  prepareSession(input: SessionInput, signal: AbortSignal): Promise<PreparedCall<SessionSummaryDraft>>;
  prepareLearnings(input: LearningInput, signal: AbortSignal): Promise<PreparedCall<readonly LearningDraft[]>>;
  /**
   * The question about a window that `prepareWindow` would ask, without counting its tokens: for answers that come hours after it was asked. @throws ModelError
   */
  windowRequest(input: WindowInput): ModelRequest<TopicSummaryDraft>;
  /** The provider's batches at a lower price; null where it has none. */
  readonly batches: ModelBatches | null;
}

/** What became of one call of a batch. */
export type BatchOutcome = { readonly customId: string } & (
  | {
      readonly kind: 'answered';
      readonly text: string;
      /** Null, or why the model stopped before its end. */
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
  /** Calls in all, and those that are not done yet. */
  readonly calls: number;
  readonly processing: number;
}

/** Batches of one provider account. Every method throws ModelError; `invalid_request` for a batch that the provider does not know. */
export interface ModelBatches {
  /** Sends calls that this port prepared; ids are 1–64 of `[A-Za-z0-9_-]`, unique in the batch. */
  submit(
    calls: readonly { readonly customId: string; readonly call: PreparedCall<unknown> }[],
    signal: AbortSignal,
  ): Promise<BatchView>;
  look(batchId: string, signal: AbortSignal): Promise<BatchView>;
  /** Batches made at that time or later, newest first, at most 100: to find one whose answer was lost. */
  since(createdAtMs: number, signal: AbortSignal): Promise<readonly BatchView[]>;
  /** Outcomes of an ended batch, streamed, in any order. */
  results(batchId: string, signal: AbortSignal): AsyncIterable<BatchOutcome>;
  cancel(batchId: string, signal: AbortSignal): Promise<void>;
}

/** Why a model call gave no usable answer. Closed: `activities/failures.ts` maps each kind to a retry decision. */
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

/** The message never holds captured text. `usage` is what failed calls cost all the same. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly kind: ModelErrorKind;
  /** From the provider's `retry-after`; undefined where it gave none. */
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
