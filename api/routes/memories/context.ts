import { idParams } from '../../../contract/shared.ts';
import { memoryHash } from '../../../domain/memory.ts';
import { principalOf, viewerOf, route, viewOf } from '../../auth.ts';
import { withinBounds } from '../../bounds.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { contextAnswer, contextBody, feedbackAnswer, feedbackBody } from '../../../contract/context.ts';
import type { MemoryType } from '../../../domain/ports/vector-index.ts';
import { readServed, recordUses } from '../../../stores/postgres/memories/memory-uses.ts';
import type { UseKind } from '../../../stores/postgres/memories/memory-uses.ts';
import { ApiError, existing, invalid } from '../../errors.ts';
import { redacted } from '../../memories/hand-written.ts';

/** `POST /context`: what is worth knowing, packed under a token budget. */
export function contextRoutes(app: Api, { recall }: ApiDependencies): void {
  app.post(
    '/context',
    route('read', {
      tags: ['retrieval'],
      summary: 'Create a context',
      body: contextBody,
      response: { 200: contextAnswer },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { purpose, session_id: sessionId, prompt, file, budget_tokens: budgetTokens } = request.body;
      const { project, namespace } = withinBounds(principal, request.body);
      const block = await recall.context({
        tenantId: principal.tenantId,
        userId: principal.userId,
        viewerId: viewerOf(principal),
        bounds: principal.bounds,
        purpose,
        project: project ?? null,
        namespace,
        sessionId: sessionId ?? null,
        prompt: prompt ?? null,
        file: file ?? null,
        budgetTokens,
        isPreview: request.body.preview,
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
}

interface ServedMemory {
  readonly id: string;
  readonly type: MemoryType;
}

/** Memories of a context by what they were named. @throws ApiError VALIDATION_FAILED that names each one that was not served, or is ambiguous */
function servedBy(names: readonly string[], field: string, served: ReadonlyMap<string, MemoryType>): ServedMemory[] {
  const byName = Map.groupBy(
    [...served].flatMap(([id, type]) => [id, memoryHash(id)].map((name) => ({ name, id, type }))),
    (entry) => entry.name,
  );
  const details = names.flatMap((name, index) => {
    const found = byName.get(name)?.length ?? 0;
    if (found === 1) return [];
    return [
      { field: `${field}.${index}`, message: found === 0 ? 'was not served' : 'names several items; use the id' },
    ];
  });
  if (details.length > 0) throw new ApiError('VALIDATION_FAILED', 'only what was served can be judged', details);
  return [
    ...new Map(names.flatMap((name) => (byName.get(name) ?? []).map(({ id, type }) => [id, { id, type }]))).values(),
  ];
}

/** `POST /context/:id/feedback`: use grows by what proved useful, never by serving. */
export function contextFeedbackRoutes(app: Api, { database }: ApiDependencies): void {
  app.post(
    '/context/:id/feedback',
    {
      config: { access: 'read', writes: true },
      schema: {
        tags: ['retrieval'],
        summary: 'Rate memories of a context as useful or wrong',
        description:
          'For the user of the context and admins. Only served memories can be rated, each as useful or wrong; a repeated rating of the same context has no effect. A useful learning gains use; a wrong one loses a quarter of its confidence, down to 0.05.',
        params: idParams,
        body: feedbackBody,
        response: { 200: feedbackAnswer },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { id } = request.params;
      const note = request.body.note === undefined ? null : redacted(request.body.note);
      return database.asTenant(viewOf(principal), async (transaction) => {
        const served = existing(await readServed(transaction, id, viewerOf(principal)), 'context');
        const useful = servedBy(request.body.useful, 'useful', served);
        const wrong = servedBy(request.body.wrong, 'wrong', served);
        const both = wrong.findIndex((memory) => useful.some((other) => other.id === memory.id));
        if (both >= 0) throw invalid(`wrong.${both}`, 'cannot be useful and wrong', 'an item');
        const record = (kind: UseKind, memories: readonly ServedMemory[]) =>
          recordUses(transaction, {
            tenantId: principal.tenantId,
            userId: principal.userId,
            contextId: id,
            kind,
            memories,
            note,
          });
        const counted = { useful: await record('useful', useful), wrong: await record('wrong', wrong) };
        return {
          id,
          useful: counted.useful.recorded,
          wrong: counted.wrong.recorded,
          learnings: counted.useful.learnings + counted.wrong.learnings,
        };
      });
    },
  );
}
