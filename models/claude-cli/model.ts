import type { Environment } from '../../config/process-environment.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { ModelPort } from '../../domain/ports/model.ts';
import { MAX_RETRY_AFTER_MS } from '../requests/http-status.ts';
import type { OutsideModelOptions } from '../requests/options.ts';
import { createOutsideModel } from '../requests/port.ts';
import { usageOf } from '../requests/prices.ts';
import type { Protocol } from '../requests/protocol.ts';
import { runClaude } from './program.ts';
import { readResult } from './result.ts';

export interface ClaudeCliModelOptions extends OutsideModelOptions {
  readonly command: string;
  readonly environment: Environment;
  /** Timeout of one run. */
  readonly timeoutMs: number;
}

/** Claude's tokens for one of o200k, as a bound: the program counts nothing beforehand. */
const TOKENS_PER_O200K = 1.3;

/**
 * The model port over the user's own `claude -p`, one process a request. Once the user's quota is nearly exhausted, requests fail with
 * `rate_limited` until its reset, without a run.
 */
export function createClaudeCliModel(options: ClaudeCliModelOptions): ModelPort {
  const { countTokens, now } = options;
  let exhaustedUntilMs = 0;

  const quotaWaitMs = (): number => Math.min(exhaustedUntilMs - now(), MAX_RETRY_AFTER_MS);
  const assertQuota = (): void => {
    const retryAfterMs = quotaWaitMs();
    if (retryAfterMs <= 0) return;
    const message = 'The quota of the user’s Claude subscription is nearly exhausted';
    throw new ModelError('rate_limited', message, { retryAfterMs });
  };

  const protocol: Protocol = {
    provider: 'claude-cli',
    count: ({ system, user, schema }, signal) => {
      signal.throwIfAborted();
      const texts = [...system, user, JSON.stringify(schema)];
      return Promise.resolve(Math.ceil(TOKENS_PER_O200K * texts.reduce((sum, text) => sum + countTokens(text), 0)));
    },
    async send({ model, system, user, schema }, _inputTokens, signal) {
      assertQuota();
      const started = now();
      const run = { model: model.name, system: system.join('\n\n'), user, schema };
      const { outcome, exhaustedUntilMs: until } = readResult(await runClaude(options, run, signal));
      if (until !== null) exhaustedUntilMs = until;
      if (outcome.ok) return outcome.reply;
      const { kind, message, cost } = outcome;
      const waitMs = quotaWaitMs();
      throw new ModelError(kind, message, {
        ...(kind === 'rate_limited' && waitMs > 0 ? { retryAfterMs: waitMs } : {}),
        usage:
          cost === null
            ? []
            : [usageOf('claude-cli', cost.tokens, model, null, Math.max(0, now() - started), cost.usd)],
      });
    },
  };
  return createOutsideModel(options, protocol);
}
