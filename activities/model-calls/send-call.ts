import type { ModelResponse, PreparedCall } from '../../domain/ports/model.ts';
import { NO_TRACER } from '../../domain/ports/tracer.ts';
import type { Tracer } from '../../domain/ports/tracer.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';

/** Sends a call in a span with names and token counts, by the conventions of OpenTelemetry. @throws ModelError, the signal's reason */
export function sendCall<Output>(
  tracer: Tracer = NO_TRACER,
  { operation }: UsageOwner,
  call: PreparedCall<Output>,
  signal: AbortSignal,
): Promise<ModelResponse<Output>> {
  return tracer.step(
    'model.call',
    async (span) => {
      const answer = await call.send(signal);
      const { model, inputTokens, outputTokens, tokensCached } = answer.usage;
      span.note({
        'gen_ai.response.model': model,
        'gen_ai.usage.input_tokens': inputTokens,
        'gen_ai.usage.output_tokens': outputTokens,
        'gen_ai.usage.cache_read.input_tokens': tokensCached,
        'recollect.readable': answer.reading.ok,
      });
      return answer;
    },
    {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': call.provider,
      'gen_ai.request.model': call.model,
      'gen_ai.request.max_tokens': call.maxTokensOut,
      'recollect.operation': operation,
    },
  );
}
