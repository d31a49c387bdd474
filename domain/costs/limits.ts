import { ModelError } from '../ports/model.ts';
import type { ModelUsage } from '../ports/model.ts';

/** What calls of a paid model may cost, and what becomes of their answers. */
export interface ModelLimits {
  /** Tokens of one call, its longest answer included. */
  readonly requestTokens: number;
  /** Tokens of a user and UTC day, for users without a quota of their own. */
  readonly userDailyTokens: number;
  /** Calls at once in all tenants. */
  readonly concurrency: number;
  /** Calls at once of one user. */
  readonly userConcurrency: number;
  /** Share of the day's tokens at which an alert is raised, 0–1. */
  readonly alertShare: number;
  readonly overBudget: 'wait' | 'local';
  /** Bound of one call. */
  readonly timeoutMs: number;
  readonly cache: {
    /** Estimated share of common word triples from which another question's answer is taken, 0–1; 1: of the same question only. */
    readonly similarity: number;
    /** 0: nothing is kept. */
    readonly days: number;
  };
}

/** The user's tokens of the UTC day are spent. The call was not made. */
export class BudgetExhausted extends Error {
  override readonly name = 'BudgetExhausted';
  /** Milliseconds until there are new ones. */
  readonly waitMs: number;
  /** What was paid before for the same answer, and is booked. */
  readonly usage: readonly ModelUsage[];

  constructor(waitMs: number, usage: readonly ModelUsage[] = []) {
    super('the daily tokens of the user are spent');
    this.waitMs = waitMs;
    this.usage = usage;
  }
}

/** The call may take more tokens than any day of the user has: no waiting helps. Nothing was asked. */
export class QuotaTooSmall extends ModelError {
  readonly callTokens: number;
  readonly quotaTokens: number;

  /** @param usage what was paid before for the same answer */
  constructor(callTokens: number, quotaTokens: number, usage: readonly ModelUsage[] = []) {
    super('invalid_request', `the call may take ${callTokens} tokens; the user's day has ${quotaTokens}`, { usage });
    this.callTokens = callTokens;
    this.quotaTokens = quotaTokens;
  }
}

/** As many calls as may be made at once were on their way for as long as this one could wait. Nothing was asked. */
export class ModelBusy extends Error {
  override readonly name = 'ModelBusy';

  constructor() {
    super('no place among the calls that are made at once came free');
  }
}

const SPREAD_MS = 300_000;

/**
 * When a session goes on after the day's end: up to five minutes later, by its id, so that what waited does not all come at once.
 * @param resetsInMs until the next UTC day
 */
export function waitForNextDay(resetsInMs: number, sessionId: string): number {
  let hash = 0;
  for (const character of sessionId) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) | 0;
  return Math.max(0, resetsInMs) + ((hash >>> 0) % SPREAD_MS);
}
