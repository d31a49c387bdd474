import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { memoryHash } from '../../../domain/memory.ts';
import { principalOf, viewerOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import { contextAnswer, contextBody } from '../../../contract/context.ts';

/** `POST /context`: what is worth knowing, packed under a token budget. */
export function contextRoutes({ recall }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post(
      '/context',
      {
        config: { access: 'read' },
        schema: {
          tags: ['retrieval'],
          summary: 'Create a context',
          body: contextBody,
          response: { 200: contextAnswer, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        const {
          purpose,
          project,
          namespace,
          session_id: sessionId,
          prompt,
          file,
          budget_tokens: budgetTokens,
        } = request.body;
        const block = await recall.context({
          tenantId: principal.tenantId,
          userId: principal.userId,
          viewerId: viewerOf(principal),
          purpose,
          project: project ?? null,
          namespace,
          sessionId: sessionId ?? null,
          prompt: prompt ?? null,
          file: file ?? null,
          budgetTokens,
        });
        return {
          id: block.id,
          text: block.text,
          tokens: block.tokens,
          items: block.items.map((item) => ({
            id: item.id,
            hash: memoryHash(item.id),
            type: item.type,
            reason: item.reason,
            tokens: item.tokens,
            score: item.value,
          })),
          omitted: block.omitted,
        };
      },
    );
    done();
  };
}
