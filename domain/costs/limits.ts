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

/** The user's tokens of the UTC day are spent. Nothing was asked. */
export class BudgetExhausted extends Error {
  override readonly name = 'BudgetExhausted';
  /** Milliseconds until there are new ones. */
  readonly waitMs: number;

  constructor(waitMs: number) {
    super('the daily tokens of the user are spent');
    this.waitMs = waitMs;
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
