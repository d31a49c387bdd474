import { z } from 'zod';
import {
  decisionBody,
  extensionBody,
  gdprRequestQuery,
  gdprRequestSchema,
  signedReceipt,
} from '../../../contract/gdpr.ts';
import { memoryCorrection, memoryName } from '../../../contract/memory.ts';
import { idParams, pageOfItems } from '../../../contract/shared.ts';
import { isOverdue, receiptOf } from '../../../domain/erasure/gdpr-request.ts';
import { signReceipt } from '../../../domain/erasure/receipt.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import { openErasure } from '../../../stores/postgres/erasure/erasures.ts';
import {
  addReceipt,
  decideRequest,
  extendRequest,
  listRequests,
  readRequest,
} from '../../../stores/postgres/erasure/gdpr-requests.ts';
import type { StoredRequest } from '../../../stores/postgres/erasure/gdpr-requests.ts';
import { TemporalUnavailable } from '../../../stores/temporal/unavailable.ts';
import { guardedRoute, principalOf, route, viewerOf, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { paginationOf } from '../../http/paging.ts';
import { createMemoryChanges } from '../../memories/memory-changes.ts';
import { findMemory } from '../../memories/memory-lookup.ts';
import { ownedBy } from '../../subjects.ts';

const tags = ['gdpr'];
const waitingText = z.object({ text: z.string() });
const waitingCorrection = z.object({ id: memoryName, correction: memoryCorrection });

/** Returns a request as answered. */
export function presentRequest(row: StoredRequest): z.input<typeof gdprRequestSchema> {
  const { id, right, kind, state, phase, removed, error } = row;
  const isExtended = row.extendedDays !== null && row.extensionReason !== null;
  return {
    id,
    right,
    kind,
    user: row.userId,
    state,
    phase,
    removed,
    error,
    receipt: signedReceipt.nullable().parse(row.receipt ?? null),
    requested_at: row.createdAt.toISOString(),
    due_at: row.dueAt.toISOString(),
    overdue: isOverdue(row, new Date()),
    extension: isExtended ? { days: row.extendedDays, reason: row.extensionReason } : null,
    decision:
      row.decidedAt === null
        ? null
        : { by: row.decidedBy, at: row.decidedAt.toISOString(), reason: row.decisionReason },
    details: row.body,
    finished_at: row.finishedAt?.toISOString() ?? null,
  };
}

function ended(message: string): ApiError {
  return new ApiError('CONFLICT', `the request ${message}`);
}

/** Requests of people about their data: list, decide, extend. */
export function gdprRequestRoutes(app: Api, dependencies: ApiDependencies): void {
  const { database, config, startJob } = dependencies;
  const changes = createMemoryChanges(dependencies);

  /** @throws ApiError NOT_FOUND for a request about data of others, unless the caller is an admin */
  const read = (principal: Principal, id: string): Promise<StoredRequest> =>
    database.asTenant(viewOf(principal), async (transaction) => {
      const row = await readRequest(transaction, id);
      return ownedBy(principal, row, row?.userId, 'request');
    });

  /** Starts the erasure of a text that a user requested. The row of the erasure has the id of the request. */
  const eraseText = async (principal: Principal, request: StoredRequest, reason: string | null): Promise<void> => {
    const { tenantId, userId } = principal;
    const { text } = waitingText.parse(request.body);
    await database.asTenant(viewOf(principal), async (transaction) => {
      const wanted = {
        tenantId,
        requestedBy: request.requestedBy,
        kind: 'text',
        subject: null,
        searchText: text,
      } as const;
      if (!(await decideRequest(transaction, request.id, { state: 'running', by: userId, reason })))
        throw ended('does not wait for a decision');
      if ((await openErasure(transaction, wanted, request.id)).id !== request.id)
        throw ended('is of a text that is being erased: decide when that has ended');
    });
    await startJob('erasureRun', tenantId, request.id, { tenantId, erasureId: request.id }).catch((error: unknown) => {
      // The decision is stored: the sweep starts the workflow as soon as Temporal is available.
      if (!(error instanceof TemporalUnavailable)) throw error;
    });
  };

  /** Corrects the memory, then records the decision: a repeated correction changes nothing. */
  const rectify = async (principal: Principal, request: StoredRequest, reason: string | null): Promise<void> => {
    const { id, correction } = waitingCorrection.parse(request.body);
    const memory = await findMemory(database, principal, id, 'id', 'versions');
    const corrected = await changes.correct(principal, memory, correction);
    const receipt = receiptOf({ ...request, right: 'rectify' }, { memory: corrected.id }, new Date());
    const signed = signReceipt(receipt, config.backups.signingKey);
    await database.asTenant(viewOf(principal), async (transaction) => {
      if (!(await decideRequest(transaction, request.id, { state: 'completed', by: principal.userId, reason })))
        throw ended('does not wait for a decision');
      await addReceipt(transaction, request.id, signed);
    });
  };

  app.get(
    '/gdpr/requests',
    route('read', {
      tags,
      summary: 'List requests about personal data: open ones by deadline, then closed ones',
      description: 'Returns all requests of the tenant for admins, else those of the caller.',
      querystring: gdprRequestQuery,
      response: { 200: pageOfItems(gdprRequestSchema) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { page, limit, open } = request.query;
      const { rows, total } = await database.asTenant(viewOf(principal), (transaction) =>
        listRequests(transaction, { userId: viewerOf(principal), open, page, limit }),
      );
      return { data: rows.map(presentRequest), pagination: paginationOf(page, limit, total) };
    },
  );

  app.get(
    '/gdpr/requests/:id',
    route('read', {
      tags,
      summary: 'Get a request and its receipt',
      params: idParams,
      response: { 200: gdprRequestSchema },
    }),
    async (request) => presentRequest(await read(principalOf(request), request.params.id)),
  );

  app.post(
    '/gdpr/requests/:id/decide',
    guardedRoute('admin', {
      tags,
      summary: 'Approve or decline a request that waits for a decision',
      description:
        'An approved correction is made at once; an approved erasure of a text starts. The user sees the reason.',
      params: idParams,
      body: decisionBody,
      response: { 200: gdprRequestSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const row = await read(principal, request.params.id);
      if (row.state !== 'waiting') throw ended('does not wait for a decision');
      const { decision, reason = null } = request.body;
      if (decision === 'approve') await (row.right === 'erase' ? eraseText : rectify)(principal, row, reason);
      else {
        const isDecided = await database.asTenant(viewOf(principal), (transaction) =>
          decideRequest(transaction, row.id, { state: 'declined', by: principal.userId, reason }),
        );
        if (!isDecided) throw ended('does not wait for a decision');
      }
      return presentRequest(await read(principal, row.id));
    },
  );

  app.post(
    '/gdpr/requests/:id/extend',
    route('admin', {
      tags,
      summary: 'Extend the deadline of an open request, once',
      params: idParams,
      body: extensionBody,
      response: { 200: gdprRequestSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const row = await read(principal, request.params.id);
      const isExtended = await database.asTenant(viewOf(principal), (transaction) =>
        extendRequest(transaction, row.id, request.body),
      );
      if (!isExtended) throw ended('has ended, or its deadline was extended before');
      return presentRequest(await read(principal, row.id));
    },
  );
}
