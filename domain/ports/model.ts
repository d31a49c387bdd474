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
}

export interface WindowInput {
  readonly projectName: string | null;
  /** What the user had asked before this window began; null in the first window. */
  readonly precedingRequest: string | null;
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
  readonly topics: readonly StoredTopic[];
  readonly items: readonly StoredItem[];
  /** User and assistant prompts of the session in order; the middle is left out when they are too many. */
  readonly prompts: readonly SourceRow[];
}

export interface LearningInput extends SessionInput {
  /** Rows that the items cite, error observations, and the calls that followed them: what a learning may quote. */
  readonly rows: readonly SourceRow[];
}

export interface ModelUsage {
  readonly provider: 'local' | 'anthropic';
  readonly model: string;
  readonly tokensIn: number;
  readonly tokensOut: number;
  /** The part of `tokensIn` that the provider served from its prompt cache. */
  readonly tokensCached: number;
  readonly costUsd: number;
  readonly latencyMs: number;
}

export interface ModelResult<Output> {
  readonly output: Output;
  /** One entry a call: two when the first answer had to be repaired. */
  readonly usage: readonly ModelUsage[];
}

export interface ModelPort {
  /** Name for logs and health, e.g. `local-extractive-1` or the provider's model name. */
  readonly name: string;
  /** @throws ModelError */
  summariseWindow(input: WindowInput, signal: AbortSignal): Promise<ModelResult<TopicSummaryDraft>>;
  /** @throws ModelError */
  summariseSession(input: SessionInput, signal: AbortSignal): Promise<ModelResult<SessionSummaryDraft>>;
  /** @throws ModelError */
  extractLearnings(input: LearningInput, signal: AbortSignal): Promise<ModelResult<readonly LearningDraft[]>>;
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
