import { ModelError } from '../ports/model.ts';
import type { ModelProvider, ModelUsage } from '../ports/model.ts';

/** Limits of calls of a paid model, and of the cache of their responses. */
export interface ModelLimits {
  /** Tokens of one call, its longest response included. */
  readonly requestTokens: number;
  /** Tokens of a user and UTC day, for users without their own quota. */
  readonly userDailyTokens: number;
  /** Tokens of a user and UTC day at single providers; absent: no limit of its own. */
  readonly providerTokens?: Readonly<Partial<Record<ModelProvider, number>>>;
  /** Concurrent calls of all tenants. */
  readonly concurrency: number;
  /** Concurrent calls of one user. */
  readonly userConcurrency: number;
  /** Share of the day's tokens that raises an alert, 0–1. */
  readonly alertShare: number;
  readonly overBudget: 'wait' | 'local';
  /** Timeout of one call. */
  readonly timeoutMs: number;
  readonly cache: {
    /** Estimated share of common word triples from which a similar request's response is used, 0–1; 1: identical requests only. */
    readonly similarity: number;
    /** 0: no cache. */
    readonly days: number;
  };
}

/** The user's tokens of the UTC day are used up. The call was not made. */
export class BudgetExhausted extends Error {
  override readonly name = 'BudgetExhausted';
  /** Milliseconds until the next quota. */
  readonly waitMs: number;
  /** Recorded usage of earlier attempts at the same response. */
  readonly usage: readonly ModelUsage[];

  constructor(waitMs: number, usage: readonly ModelUsage[] = []) {
    super('the daily tokens of the user are spent');
    this.waitMs = waitMs;
    this.usage = usage;
  }
}

/** The call may exceed any daily quota of the user: waiting does not help. No request was sent. */
export class QuotaTooSmall extends ModelError {
  readonly callTokens: number;
  readonly quotaTokens: number;

  /** @param usage cost of earlier attempts at the same response */
  constructor(callTokens: number, quotaTokens: number, usage: readonly ModelUsage[] = []) {
    super('invalid_request', `the call may take ${callTokens} tokens; the user's day has ${quotaTokens}`, { usage });
    this.callTokens = callTokens;
    this.quotaTokens = quotaTokens;
  }
}

/** The concurrency limit was reached for as long as this call could wait. No request was sent. */
export class ModelBusy extends Error {
  override readonly name = 'ModelBusy';

  constructor() {
    super('no model call slot became free in time; retry later');
  }
}

const SPREAD_MS = 300_000;

/**
 * Returns the delay after which a session continues on the next day: up to five minutes later, by its id, so that sessions do not all
 * resume at once. @param resetsInMs until the next UTC day
 */
export function waitForNextDay(resetsInMs: number, sessionId: string): number {
  let hash = 0;
  for (const character of sessionId) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) | 0;
  return Math.max(0, resetsInMs) + ((hash >>> 0) % SPREAD_MS);
}
