import { ModelError } from '../../domain/ports/model.ts';
import type { ModelPort } from '../../domain/ports/model.ts';
import { networkCode } from '../requests/http-status.ts';
import type { OutsideModelOptions } from '../requests/options.ts';
import { createOutsideModel } from '../requests/port.ts';
import { usageOf } from '../requests/prices.ts';
import { readJson } from '../requests/read-json.ts';
import type { MessageRequest, Protocol } from '../requests/protocol.ts';
import { readCompletion } from './chat-completion.ts';
import { errorIn, toModelError } from './errors.ts';
import { strictSchema } from './strict-schema.ts';

export interface OpenAiModelOptions extends OutsideModelOptions {
  /** Address without `/chat/completions`. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  /** Timeout of one HTTP call, its body included. */
  readonly timeoutMs: number;
  readonly limitField: 'max_tokens' | 'max_completion_tokens';
  /** 0–2; null: not sent. */
  readonly temperature: number | null;
}

/** A response has some kilobytes; servers add their own fields. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
const tooLong = () => new ModelError('unavailable', 'The model provider sent a response that is too long');
/**
 * With less than this share of our own count the server has truncated the prompt. Its tokens are others than o200k's: of English text and code,
 * vocabularies of 32,000 words and more count at least 0.9 of them.
 */
const LEAST_READ_SHARE = 0.75;

/**
 * The model port over `POST /chat/completions` of any server. Tokens are counted here, with o200k, because no dialect counts them beforehand. Sends
 * only fields that every dialect accepts.
 */
export function createOpenAiModel(options: OpenAiModelOptions): ModelPort {
  const { apiKey, timeoutMs, countTokens, now, maxOutputTokens, temperature, limitField } = options;
  const address = `${options.baseUrl.replace(/\/+$/u, '')}/chat/completions`;
  const tokensOfTexts = ({ system, user }: MessageRequest): number =>
    countTokens(system.join('\n\n')) + countTokens(user);

  const post = async (request: MessageRequest, signal: AbortSignal): Promise<Response> =>
    fetch(address, {
      method: 'POST',
      redirect: 'error',
      headers: {
        'content-type': 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({
        model: request.model.name,
        messages: [
          { role: 'system', content: request.system.join('\n\n') },
          { role: 'user', content: request.user },
        ],
        [limitField]: maxOutputTokens,
        ...(temperature === null ? {} : { temperature }),
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'answer', strict: true, schema: strictSchema(request.schema) },
        },
      }),
      signal,
    });

  const protocol: Protocol = {
    provider: 'openai',
    count: (request, signal) => {
      signal.throwIfAborted();
      return Promise.resolve(tokensOfTexts(request) + countTokens(JSON.stringify(strictSchema(request.schema))));
    },
    async send(request, inputTokens, signal) {
      signal.throwIfAborted();
      const limit = AbortSignal.timeout(timeoutMs);
      const started = now();
      let response: Response;
      let body: unknown;
      try {
        response = await post(request, AbortSignal.any([signal, limit]));
        body = await readJson(response, MAX_RESPONSE_BYTES, tooLong);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ModelError) throw error;
        if (limit.aborted) throw new ModelError('timeout', 'The model sent no response in time');
        const code = error instanceof Error ? networkCode(error) : '';
        throw new ModelError('unavailable', `The model provider cannot be reached${code}`);
      }
      const fault = errorIn(body);
      // OpenRouter reports failures of its own providers with status 200.
      if (!response.ok || fault !== null) throw toModelError(response, fault, now());
      const { promptTokens, isFailed, ...reply } = readCompletion(body, { inputTokens, countTokens });
      const usage = [usageOf('openai', reply.tokens, request.model, null, Math.max(0, now() - started))];
      if (isFailed) throw new ModelError('unavailable', 'The model provider failed during its response', { usage });
      const expected = tokensOfTexts(request);
      if (promptTokens !== null && promptTokens > 0 && promptTokens < LEAST_READ_SHARE * expected)
        throw new ModelError(
          'invalid_request',
          `The model provider read ${promptTokens} of about ${expected} tokens: it truncated the prompt; increase its context (Ollama: OLLAMA_CONTEXT_LENGTH)`,
          { usage },
        );
      return reply;
    },
  };
  return createOutsideModel(options, protocol);
}
