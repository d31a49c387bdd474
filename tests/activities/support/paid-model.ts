import { createHash } from 'node:crypto';
import type { ModelLimits } from '../../../domain/costs/limits.ts';
import type {
  ModelError,
  ModelPort,
  ModelProvider,
  ModelUsage,
  PreparedCall,
  Reading,
} from '../../../domain/ports/model.ts';

export interface PaidRequest {
  readonly question: string;
  readonly repair: boolean;
}

/** An external paid model with scripted responses that records its requests. */
export interface PaidModel {
  readonly requests: PaidRequest[];
  /** Replies in order; an error is thrown. After them the response is `ok: <question>`. */
  readonly script: (string | ModelError)[];
  /** Awaited before each response. */
  pause: () => Promise<unknown>;
  /** Cost of each response. */
  bill: ModelUsage;
  prepare(question: string, change?: Partial<PreparedCall<string>>): PreparedCall<string>;
}

export const BILL: ModelUsage = {
  provider: 'anthropic',
  model: 'a-paid-model',
  inputTokens: 700,
  outputTokens: 50,
  tokensCached: 300,
  tokensCacheWritten: 100,
  costUsd: 0.001,
  batch: false,
  latencyMs: 5,
};

export const LIMITS: ModelLimits = {
  requestTokens: 1_000,
  userDailyTokens: 10_000,
  concurrency: 10,
  userConcurrency: 3,
  alertShare: 0.8,
  overBudget: 'wait',
  timeoutMs: 5_000,
  cache: { similarity: 0.9, days: 30 },
};

/** Responses that start with `ok:` are usable; the text follows. */
function read(text: string): Reading<string> {
  if (text.startsWith('ok:')) return { ok: true, output: text.slice(3).trim() };
  return { ok: false, kind: 'invalid_output', problem: `not so: ${text}`, where: 'answer.start' };
}

export function createPaidModel(): PaidModel {
  const requests: PaidRequest[] = [];
  const script: (string | ModelError)[] = [];
  const model: PaidModel = {
    requests,
    script,
    pause: () => Promise.resolve(),
    bill: BILL,
    prepare: (question, change = {}) => prepared(question, false, change),
  };
  function prepared(question: string, repair: boolean, change: Partial<PreparedCall<string>>): PreparedCall<string> {
    return {
      provider: 'anthropic',
      model: BILL.model,
      promptVersion: createHash('sha256').update('instructions').digest('hex'),
      requestText: question,
      inputTokens: 800,
      maxTokensOut: 200,
      maxUsd: 0.002,
      read,
      send: async (signal) => {
        requests.push({ question, repair });
        await model.pause();
        signal.throwIfAborted();
        const reply = script.shift() ?? `ok: ${question}`;
        if (typeof reply !== 'string') throw reply;
        return { text: reply, reading: read(reply), usage: model.bill };
      },
      repair: (text, problem) => Promise.resolve(prepared(`${question} | ${text} | ${problem}`, true, change)),
      ...change,
    };
  }
  return model;
}

/** A model by its name alone: the tests prepare its calls themselves. */
export function portOf(provider: ModelProvider): ModelPort {
  const unused = (): never => {
    throw new Error('not used');
  };
  return {
    name: provider,
    provider,
    batches: null,
    prepareWindow: unused,
    prepareSession: unused,
    prepareLearnings: unused,
    windowRequest: unused,
    sessionRequest: unused,
    learningsRequest: unused,
  };
}
