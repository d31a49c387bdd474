import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { wellFormed } from '../../domain/capture/well-formed.ts';
import { memoryHash } from '../../domain/memory.ts';
import { MEMORY_TYPES } from '../../domain/ports/vector-index.ts';
import { holderOf, viewerOf } from '../auth.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { DEFAULT_CONTEXT_TOKENS } from '../recall.ts';
import { ERROR_RESPONSES, namespaceName } from '../schemas/shared.ts';

const contextBody = z
  .strictObject({
    purpose: z.enum(['session_start', 'prompt', 'file']),
    project: z.string().min(1).max(2048).overwrite(wellFormed).optional().describe('Id, git remote, root path or name'),
    namespace: namespaceName.overwrite(wellFormed).default('default'),
    session_id: z
      .string()
      .min(1)
      .max(512)
      .overwrite(wellFormed)
      .optional()
      .describe('Own id, or host:external id, of the session that asks'),
    prompt: z.string().max(100_000).overwrite(wellFormed).optional(),
    file: z.string().max(4096).overwrite(wellFormed).optional(),
    budget_tokens: z.number().int().min(50).max(8_000).default(DEFAULT_CONTEXT_TOKENS),
  })
  .refine((body) => body.purpose !== 'session_start' || body.project !== undefined || body.session_id !== undefined, {
    path: ['project'],
    message: 'or session_id is needed for a session start',
  })
  .refine((body) => body.purpose !== 'prompt' || body.prompt !== undefined, {
    path: ['prompt'],
    message: 'is needed for a prompt',
  })
  .refine((body) => body.purpose !== 'file' || body.file !== undefined, {
    path: ['file'],
    message: 'is needed for a file',
  });

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
        const holder = holderOf(request);
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
