import type { OutsideProvider } from '../../domain/ports/model.ts';
import type { BilledTokens } from './prices.ts';
import type { PricedModel } from './options.ts';

/** One request: the stable prefix in `system`, each text of which ends a prefix that providers may cache, and the variable part in `user`. */
export interface MessageRequest {
  readonly model: PricedModel;
  readonly system: readonly string[];
  readonly user: string;
  /** JSON schema of the response. */
  readonly schema: Record<string, unknown>;
}

/** A response with the cost of it. */
export interface Reply {
  readonly text: string;
  /** Null, or why the model stopped early. */
  readonly stopped: 'refused' | 'truncated' | null;
  readonly tokens: BilledTokens;
  /** US dollars if the provider states them; absent: by the prices of the model. */
  readonly costUsd?: number;
}

/** What differs between outside providers. Every method throws ModelError, or the signal's reason if the caller aborted. */
export interface Protocol {
  readonly provider: OutsideProvider;
  /** Returns the input tokens of a request, as the provider counts them or as near as can be known without it. */
  readonly count: (request: MessageRequest, signal: AbortSignal) => Promise<number>;
  /** Sends the request once. `inputTokens` is its count. */
  readonly send: (request: MessageRequest, inputTokens: number, signal: AbortSignal) => Promise<Reply>;
}
