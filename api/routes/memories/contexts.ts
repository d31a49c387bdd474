import type { z } from 'zod';
import { contextsAnswer, contextsQuery, servedContext, servedContextDetail } from '../../../contract/context.ts';
import { idParams } from '../../../contract/shared.ts';
import { previewOf } from '../../../domain/capture/build-event.ts';
import { memoryHash } from '../../../domain/memory.ts';
import type { Memory } from '../../../domain/memory.ts';
import { readIn } from '../../../stores/postgres/connection/database.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { listContexts, readContext } from '../../../stores/postgres/memories/context-list.ts';
import type { ContextDetail, ListedContext } from '../../../stores/postgres/memories/context-list.ts';
import { readMemories } from '../../../stores/postgres/memories/memories.ts';
import { principalOf, route, viewerOf, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { existing } from '../../errors.ts';
import { newestPage } from '../../http/paging.ts';
import { present } from '../../http/present.ts';
import { filterIds } from '../../subjects.ts';

function presentContext(row: ListedContext): z.output<typeof servedContext> {
  const { sessionId, sessionTitle: title, projectId, projectName } = row;
  return present(servedContext, {
    ...row,
    session: sessionId === null ? null : { id: sessionId, title },
    project: projectId === null || projectName === null ? null : { id: projectId, name: projectName },
  });
}

interface ServedMemories {
  readonly current: readonly Memory[];
  /** Learnings that were closed since. */
  readonly closed: readonly Memory[];
}

/** Reads the memories of a context: of learnings the served version, also if it was closed since. */
async function readServedMemories(
  transaction: TenantTransaction,
  { itemIds, itemTypes, createdAt }: ContextDetail,
  viewerId: string | undefined,
): Promise<ServedMemories> {
  const refs = itemIds.flatMap((id, n) => {
    const type = itemTypes[n];
    return type === undefined ? [] : [{ id, type }];
  });
  const read = readIn(transaction);
  const current = await readMemories(read, refs, viewerId);
  const isCurrent = new Set(current.map(({ id }) => id));
  const missing = refs.filter(({ id, type }) => type === 'learning' && !isCurrent.has(id));
  return { current, closed: await readMemories(read, missing, viewerId, createdAt.toISOString()) };
}

function presentDetail(row: ContextDetail, { current, closed }: ServedMemories): z.output<typeof servedContextDetail> {
  const byId = new Map([...current, ...closed].map((memory) => [memory.id, memory]));
  const isClosed = new Set(closed.map(({ id }) => id));
  const items = row.itemIds.flatMap((id, n) => {
    const memory = byId.get(id);
    const uses = row.uses.filter((use) => use.id === id);
    const type = row.itemTypes[n];
    if (type === undefined) return [];
    return {
      id,
      hash: memoryHash(id),
      type,
      kind: memory?.kind ?? null,
      title: memory?.title ?? null,
      preview: memory === undefined ? null : previewOf(memory.content),
      closed: isClosed.has(id),
      reason: row.itemReasons[n] ?? null,
      tokens: row.itemTokens[n] ?? null,
      feedback: uses.map(({ kind }) => kind),
      note: uses.find(({ note }) => note !== null)?.note ?? null,
    };
  });
  return { ...presentContext(row), items };
}

/** `GET /contexts` and `GET /contexts/:id`: what agents were served, and whether it was of use. */
export function contextListRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/contexts',
    route('read', {
      tags: ['retrieval'],
      summary: 'List served contexts, newest first',
      description: "The caller's, for admins those of all users. Contexts are stored for 90 days.",
      querystring: contextsQuery,
      response: { 200: contextsAnswer },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { session, project, purpose, since, until, limit, cursor } = request.query;
      const found = await database.asTenant(viewOf(principal), async (transaction) => {
        const ids = await filterIds(transaction, principal, { project, session });
        if (ids === null) return [];
        const filter = {
          ...ids,
          viewerId: viewerOf(principal),
          purpose,
          since: since === undefined ? undefined : new Date(since),
          until: until === undefined ? undefined : new Date(until),
        };
        return listContexts(transaction, filter, { before: cursor ?? null, limit: limit + 1 });
      });
      return newestPage(found, limit, presentContext);
    },
  );
  app.get(
    '/contexts/:id',
    route('read', {
      tags: ['retrieval'],
      summary: 'Get a served context with its items and their feedback',
      description:
        'Returns titles and previews as they are now, of closed learnings as they were: the served text is not stored.',
      params: idParams,
      response: { 200: servedContextDetail },
    }),
    async (request) => {
      const principal = principalOf(request);
      return database.asTenant(viewOf(principal), async (transaction) => {
        const viewerId = viewerOf(principal);
        const found = existing(await readContext(transaction, request.params.id, viewerId), 'context');
        return presentDetail(found, await readServedMemories(transaction, found, viewerId));
      });
    },
  );
}
