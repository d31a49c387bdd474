import { existing } from '../../errors.ts';
import { memoryHash } from '../../../domain/memory.ts';
import { sessionIdOf } from '../../subjects.ts';
import { z } from 'zod';
import { ITEM_KINDS } from '../../../domain/ports/model.ts';
import { listSummaries, readSummary } from '../../../stores/postgres/summaries/derived.ts';
import { principalOf, viewerOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { cursorPageOf, cursorQuery, usedIn, pageQuery } from '../../../contract/shared.ts';
import { summaryIdOf } from '../../memories/memory-lookup.ts';
import { memoryName } from '../../../contract/memory.ts';
import { countFetched } from '../../memories/memory-fetches.ts';
import { cursorOf, pageOf, placeOf } from '../../http/paging.ts';
import { sessionParams, SUMMARY_TYPES, summarySchema } from '../../../contract/sessions.ts';
import { text } from '../../../contract/text.ts';
import type { CitedText } from '../../../domain/ports/model.ts';
import type { StoredSummary } from '../../../stores/postgres/summaries/derived.ts';
import { parseCited, parseEvidence } from '../../../stores/postgres/summaries/summaries.ts';

const LIST = 'summaries';
const placeSchema = z.strictObject({ group: z.int32(), place: z.int32(), id: z.uuid() });

function evidenceOf(pieces: CitedText['evidence'], mayQuote: boolean) {
  return pieces.map((piece) => ({ row_id: piece.rowId, quote: mayQuote ? piece.quote : null }));
}

function citedOf(value: unknown, mayQuote: boolean) {
  return parseCited(value).map((cited) => ({ text: cited.text, evidence: evidenceOf(cited.evidence, mayQuote) }));
}

/** A summary as `viewerId` reads it: quotes of another user's rows are withheld; undefined: an admin, who reads all. */
export function presentSummary(row: StoredSummary, viewerId: string | undefined): z.input<typeof summarySchema> {
  const mayQuote = viewerId === undefined || viewerId === row.userId;
  return present(summarySchema, {
    ...row,
    hash: memoryHash(row.id),
    type: summarySchema.shape.type.parse(row.type),
    keyPoints: citedOf(row.keyPoints, mayQuote),
    actionItems: citedOf(row.actionItems, mayQuote),
    evidence: evidenceOf(parseEvidence(row.evidence), mayQuote),
    costUsd: row.costUsd.toNumber(),
  });
}

/** Summaries of a session, and one of them. `POST /sessions/:id/summaries` is in session-steering: it calls the session's workflow. */
export function summaryRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/sessions/:id/summaries',
    route('read', {
      tags: ['summaries'],
      summary: 'List the summaries of a session',
      description:
        'Returns the session summary first, the newest version before earlier ones, then topics and items in order.',
      params: sessionParams,
      querystring: z.strictObject({
        ...pageQuery,
        ...cursorQuery,
        type: z.enum(SUMMARY_TYPES).optional(),
        kind: text(256)
          .optional()
          .describe(`Kind of items: ${ITEM_KINDS.join(', ')}, or a kind from an import`),
      }),
      response: { 200: cursorPageOf(summarySchema) },
    }),
    async (request) => {
      const { page, limit, cursor, type, kind } = request.query;
      const after = placeOf(cursor, LIST, placeSchema);
      const principal = principalOf(request);
      const found = await database.asTenant(viewOf(principal), async (transaction) => {
        const sessionId = await sessionIdOf(transaction, principal, request.params.id);
        return listSummaries(transaction, { sessionId, type, kind }, { after, page, limit });
      });
      const next = found.next === null ? null : cursorOf(LIST, found.next);
      return {
        data: found.rows.map((row) => presentSummary(row, viewerOf(principal))),
        pagination: pageOf(page, limit, found.total, next),
      };
    },
  );

  app.get(
    '/summaries/:id',
    route('read', {
      tags: ['summaries'],
      summary: 'Get a summary, topic or item',
      params: z.object({ id: memoryName }),
      querystring: z.strictObject({ used_in: usedIn }),
      response: { 200: summarySchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const found = await database.asTenant(viewOf(principal), async (transaction) => {
        const id = existing(await summaryIdOf(transaction, request.params.id, 'id'), 'summary');
        await countFetched(transaction, principal, request.query.used_in, [id]);
        return readSummary(transaction, id);
      });
      return presentSummary(existing(found, 'summary'), viewerOf(principal));
    },
  );
}
