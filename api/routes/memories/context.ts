import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { memoryHash } from '../../../domain/memory.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import { principalOf, viewerOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { DEFAULT_CONTEXT_TOKENS } from '../../memories/recall.ts';
import { ERROR_RESPONSES, namespaceName } from '../../../contract/shared.ts';
import { text } from '../../../contract/text.ts';

const common = {
  project: text(2048).optional().describe('Id, git remote, root path or name'),
  namespace: namespaceName.default('default'),
  session_id: text(512).optional().describe('Own id, or host:external id, of the session that asks'),
  prompt: text(100_000, 0).optional(),
  file: text(4096, 0).optional(),
  budget_tokens: z.number().int().min(50).max(8_000).default(DEFAULT_CONTEXT_TOKENS),
};

const contextBody = z.discriminatedUnion('purpose', [
  z
    .strictObject({ purpose: z.literal('session_start'), ...common })
    .refine((body) => body.project !== undefined || body.session_id !== undefined, {
      path: ['project'],
      message: 'or session_id is needed for a session start',
    })
    .meta({ anyOf: [{ required: ['project'] }, { required: ['session_id'] }] }),
  z.strictObject({ purpose: z.literal('prompt'), ...common, prompt: text(100_000, 0) }),
  z.strictObject({ purpose: z.literal('file'), ...common, file: text(4096, 0) }),
]);

const contextAnswer = z
  .object({
    id: z.string().nullable().describe('For feedback, and for used_in; null where nothing was served'),
    text: z.string(),
    tokens: z.number().int(),
    items: z.array(
      z.object({
        id: z.string(),
        hash: z.string(),
        type: z.enum(MEMORY_TYPES),
        reason: z.string(),
        tokens: z.number().int(),
        score: z.number(),
      }),
    ),
    omitted: z.number().int(),
  })
  .meta({ id: 'Context' });

/** `POST /context`: what is worth knowing, packed under a token budget. */
export function contextRoutes({ recall }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post(
      '/context',
      {
        config: { access: 'read' },
        schema: {
          tags: ['retrieval'],
          summary: 'Pack context',
          body: contextBody,
          response: { 200: contextAnswer, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = principalOf(request);
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
          tenantId: holder.tenantId,
          userId: holder.userId,
          viewerId: viewerOf(holder),
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
