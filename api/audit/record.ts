import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TenantId, UserId } from '../../domain/ids.ts';
import { endUserSessions } from '../../stores/postgres/access/user-sessions.ts';
import { appendAudit } from '../../stores/postgres/audit/append.ts';
import { databaseCodes } from '../../stores/postgres/connection/database-codes.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError, ERROR_STATUS, toApiError } from '../errors.ts';
import { redacted } from '../memories/hand-written.ts';
import { actionOf, isAudited } from './decision.ts';
import { idOrHash, returnedIdOf, subjectOf } from './subject.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Id of the resource in the response; null if it has none. */
    returnedId: string | null;
    /** The user whose password, code or token a refused request used, without being authenticated. */
    accused: { readonly tenantId: TenantId; readonly userId: UserId } | null;
    /** True once the request was recorded, or could not be. */
    isRecorded: boolean;
    /** The session that the request started, of a user who logged in; null if it started none. */
    startedSession: { readonly tenantId: TenantId; readonly userId: UserId; readonly id: string } | null;
    /** Address of the client: a closed connection has none any more. */
    clientAddress: string;
  }
}

const LONGEST_AGENT = 200;
const FIRST_FAILURE = 400;
/** Refused requests of a key that are recorded. */
const REFUSALS_PER_MINUTE = 120;

/** Appends a request to the audit log of its tenant, once. Returns false if the row could not be stored, which is logged and counted. */
async function record(
  { database, metrics }: ApiDependencies,
  request: FastifyRequest,
  status: number,
): Promise<boolean> {
  const { principal, accused } = request;
  const tenantId = principal?.tenantId ?? accused?.tenantId;
  if (tenantId === undefined || request.isRecorded) return true;
  request.isRecorded = true;
  const pattern = request.routeOptions.url ?? '';
  const action = actionOf({ method: request.method, url: pattern });
  try {
    await appendAudit(database.pool, {
      tenantId,
      actorId: principal?.userId ?? null,
      credential: principal?.credential ?? null,
      action,
      subject:
        accused !== null
          ? { type: 'users', id: accused.userId }
          : subjectOf(pattern, request.params, request.returnedId, status < FIRST_FAILURE),
      status,
      requestId: idOrHash(request.id),
      address: request.clientAddress,
      userAgent: redacted((request.headers['user-agent'] ?? '').slice(0, LONGEST_AGENT)) || null,
    });
    return true;
  } catch (error) {
    metrics.auditFailures.inc();
    request.log.error(
      { codes: error instanceof Error ? databaseCodes(error) : [], action, status },
      'a request is missing from the audit log',
    );
    return false;
  }
}

/** Ends a session whose start is missing from the audit log. A fault is logged only: nobody has the tokens of the session. */
async function endUnrecorded(
  { database }: ApiDependencies,
  request: FastifyRequest,
  { tenantId, userId, id }: NonNullable<FastifyRequest['startedSession']>,
): Promise<void> {
  try {
    await database.asTenant(tenantId, (transaction) => endUserSessions(transaction, userId, { id }, 'ended'));
  } catch (error) {
    request.log.error(
      { codes: error instanceof Error ? databaseCodes(error) : [] },
      'a session without a record of its start remains',
    );
  }
}

/** Headers of the answer that is not sent: of its content, and those that hand over a session or a code. */
const UNSENT = ['content-type', 'content-length', 'content-disposition', 'set-cookie', 'location'] as const;

/**
 * Records requests before they are answered: all of the audited routes, and refused ones of the others. Where the row cannot be stored, the answer is 503 instead of a
 * success, so that nothing is revealed and no change is reported without its record. Other routes pay nothing: they have none of these hooks.
 */
export function registerAudit(app: FastifyInstance, dependencies: ApiDependencies): void {
  app.decorateRequest('returnedId', null);
  app.decorateRequest('accused', null);
  app.decorateRequest('isRecorded', false);
  app.decorateRequest('startedSession', null);
  app.decorateRequest('clientAddress', '');
  app.addHook('onRequest', async (request) => {
    request.clientAddress = request.ip;
  });
  const noteReturned = async (request: FastifyRequest, _reply: FastifyReply, payload: unknown): Promise<unknown> => {
    request.returnedId ??= returnedIdOf(payload);
    return payload;
  };
  const beforeAnswer = async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    // A request beyond a limit shall cost less than an answered one; a metric counts it.
    if (reply.statusCode === ERROR_STATUS.RATE_LIMITED) return payload;
    if ((await record(dependencies, request, reply.statusCode)) || reply.statusCode >= FIRST_FAILURE) return payload;
    if (payload instanceof Readable) payload.destroy();
    for (const name of UNSENT) void reply.removeHeader(name);
    if (request.startedSession !== null) await endUnrecorded(dependencies, request, request.startedSession);
    throw new ApiError('STORAGE_UNAVAILABLE', 'the audit log cannot be written; a change may have been made');
  };
  app.addHook('onRoute', (route) => {
    const { access = 'open', writes = false } = route.config ?? {};
    // A route with several methods has one level: it is audited if one of them is.
    if (![route.method].flat().some((method) => isAudited({ method, url: route.url, access, writes }))) return;
    route.preSerialization = [route.preSerialization ?? [], noteReturned].flat();
    route.onSend = [route.onSend ?? [], beforeAnswer].flat();
  });
  app.addHook('onError', async (request, _reply, error) => {
    if (toApiError(error).code !== 'FORBIDDEN' || request.principal === null) return;
    // Else one key could fill the log with its refusals.
    const bucket = `refused:${request.principal.credential.id}`;
    const { isGranted } = await dependencies.rateLeases.take(bucket, { quota: REFUSALS_PER_MINUTE, windowS: 60 });
    if (isGranted) await record(dependencies, request, ERROR_STATUS.FORBIDDEN);
    else dependencies.metrics.rateLimited.inc({ class: 'refusal' });
  });
}
