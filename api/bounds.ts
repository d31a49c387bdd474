import type { Principal } from '../stores/postgres/access/principal.ts';
import { viewOfUser } from '../stores/postgres/connection/database.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { actionOf } from './audit/decision.ts';
import type { RouteAccess } from './auth.ts';
import { ApiError } from './errors.ts';
import type { CommitResult } from '../stores/postgres/capture/isolate-faulty.ts';
import type { Capture, Incoming } from './intake/intake.ts';

/**
 * Routes that keys with bounds may use: those whose rows the policies `bounds` of the database limit. Others answer for the entire tenant, or from stores
 * without these policies.
 */
const ROUTES: ReadonlySet<string> = new Set([
  'DELETE /auth/api-keys/:id',
  'DELETE /learnings/:id',
  'DELETE /memories/:id',
  'DELETE /mcp',
  'GET /auth/api-keys',
  'GET /auth/me',
  'GET /feed',
  'GET /feed/density',
  'GET /learnings',
  'GET /learnings/:id',
  'GET /mcp',
  'GET /memories/:id',
  'GET /memories/by-hash/:hash',
  'GET /projects',
  'GET /projects/:id',
  'GET /search',
  'GET /search/suggest',
  'GET /sessions',
  'GET /sessions/:id',
  'GET /sessions/:id/observations',
  'GET /sessions/:id/prompts',
  'GET /sessions/:id/summaries',
  'GET /sessions/:id/windows',
  'GET /stream/events',
  'GET /summaries/:id',
  'GET /timeline',
  'POST /auth/api-keys/:id/rotate',
  'POST /auth/browser/codes',
  'POST /context',
  'POST /context/:id/feedback',
  'POST /events',
  'POST /events/batch',
  'POST /hooks/:event',
  'POST /learnings',
  'POST /learnings/:id/invalidate',
  'POST /learnings/:id/reopen',
  'POST /learnings/:id/supersede',
  'POST /learnings/:id/unverify',
  'POST /learnings/:id/verify',
  'POST /learnings/batch',
  'POST /mcp',
  'POST /memories',
  'POST /memories/batch',
  'POST /memories/get',
  'POST /search/semantic',
  'PUT /learnings/:id',
  'PUT /learnings/:id/visibility',
  'PUT /memories/:id',
]);

/** Returns true if keys with bounds may use a route. */
export function isForBoundKeys(route: Pick<RouteAccess, 'method' | 'url'>): boolean {
  return ROUTES.has(actionOf({ ...route, method: route.method === 'HEAD' ? 'GET' : route.method }));
}

/** Returns the error of a request outside the bounds of its key. */
function outside(field: 'namespace' | 'project', message: string): ApiError {
  return new ApiError('FORBIDDEN', `the ${field} ${message}`, [{ field, message }]);
}

/**
 * Returns what a request reads from stores that know one project and one namespace: those that it names, or the only ones of its key. A project that the
 * key is not bound to does not exist for it.
 * @throws ApiError FORBIDDEN for another namespace, and if the key has several and none is named
 */
export function withinBounds<
  Given extends { readonly project?: string | undefined; readonly namespace?: string | undefined },
>({ bounds }: Principal, given: Given): Given {
  if (bounds === null) return given;
  const { namespaces, projects } = bounds;
  const { namespace = only('namespace', namespaces), project = only('project', projects) } = given;
  if (namespace !== undefined && namespaces.length > 0 && !namespaces.includes(namespace))
    throw outside('namespace', 'is not one of your key');
  return { ...given, ...(namespace !== undefined && { namespace }), ...(project !== undefined && { project }) };
}

function only(field: 'namespace' | 'project', values: readonly string[]): string | undefined {
  if (values.length > 1) throw outside(field, `is required: your key is bound to ${values.length} of them`);
  return values[0];
}

const OUTSIDE: CommitResult = { status: 'failed', error: outside('namespace', 'is not one of your key') };

/** Captures events within the namespaces of a key; rejects the others, also those of sessions that are in another namespace already. */
export async function captureWithin(
  { database, intake }: { readonly database: Database; readonly intake: Capture },
  principal: Principal,
  events: readonly Incoming[],
): Promise<CommitResult[]> {
  const namespaces = principal.bounds?.namespaces ?? [];
  if (namespaces.length === 0) return intake.capture(events, principal);
  const { tenantId, userId } = principal;
  const elsewhere = await database.asTenant(viewOfUser(tenantId, userId), (transaction) =>
    transaction.session.findMany({
      where: {
        userId,
        externalId: { in: [...new Set(events.map(({ externalId }) => externalId))] },
        namespace: { notIn: [...namespaces] },
      },
      select: { host: true, externalId: true },
    }),
  );
  const isWithin = ({ namespace, host, externalId }: Incoming): boolean =>
    namespaces.includes(namespace) &&
    !elsewhere.some((session) => session.host === host && session.externalId === externalId);
  const results = await intake.capture(events.filter(isWithin), principal);
  let next = 0;
  return events.map((event) => {
    if (!isWithin(event)) return OUTSIDE;
    next += 1;
    return results[next - 1] ?? { status: 'refused' };
  });
}
