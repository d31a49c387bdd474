import Anthropic from '@anthropic-ai/sdk';
import type { ModelPort, PreparedCall } from '../../domain/ports/model.ts';
import type { OutsideModelOptions } from '../requests/options.ts';
import { createOutsideModel } from '../requests/port.ts';
import type { MessageRequest, Protocol } from '../requests/protocol.ts';
import { createBatches } from './batches.ts';
import { billedTokens, countInput, sendMessage, stoppedBy, textOf } from './transport.ts';

const PUBLIC_ADDRESS = 'https://api.anthropic.com';

export interface ClaudeModelOptions extends OutsideModelOptions {
  readonly apiKey: string;
  /** Default: the provider's public address. */
  readonly baseUrl?: string;
  /** Timeout of one HTTP call, its body included. */
  readonly timeoutMs: number;
  /** Price of a batch call relative to a direct one, 0–1. */
  readonly batchPriceShare: number;
}

/** The model port over the Messages API, which counts the tokens of a request itself. */
export function createClaudeModel(options: ClaudeModelOptions): ModelPort {
  const { apiKey, baseUrl, small, large, timeoutMs, now } = options;
  // Address and log level are always set, so that the client's own environment variables cannot redirect captured text or log it.
  const client = new Anthropic({
    apiKey,
    baseURL: baseUrl ?? PUBLIC_ADDRESS,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: 'off',
  });
  const transport = { client, timeoutMs, now };
  const requests = new WeakMap<PreparedCall<unknown>, MessageRequest>();
  const protocol: Protocol = {
    provider: 'anthropic',
    count: (request, signal) => countInput(transport, request, signal),
    async send(request, _inputTokens, signal) {
      const message = await sendMessage(transport, request, options.maxOutputTokens, signal);
      return { text: textOf(message), stopped: stoppedBy(message.stop_reason), tokens: billedTokens(message) };
    },
  };
  const batches = createBatches(transport, { small, large, priceShare: options.batchPriceShare }, requests);
  return createOutsideModel(options, protocol, batches, (call, request) => void requests.set(call, request));
}
