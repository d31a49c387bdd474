import type { RouteAccess } from '../../../api/auth.ts';
import type { ApiAnswer, TestInstance } from '../../setup/instance.ts';

/** Who may use a route: the scope that a key needs, and whether a route that reads writes all the same. */
export type RouteRight =
  | 'open'
  | 'key'
  | 'account'
  | 'session'
  | 'scrape'
  | 'capture'
  | 'read'
  | 'read, writes'
  | 'write'
  | 'self'
  | 'admin'
  | 'operator';

/** A decision for every route. One that is added needs a line here: may a viewer use it, and may an admin's key without the scope admin? */
export const ROUTE_RIGHTS: Readonly<Record<string, RouteRight>> = {
  'DELETE /admin/legal-holds/:id': 'admin',
  'DELETE /admin/api-keys/:id': 'admin',
  'DELETE /admin/users/:id/mfa': 'admin',
  'DELETE /auth/api-keys/:id': 'key',
  'DELETE /auth/mfa/totp': 'session',
  'DELETE /auth/sessions': 'account',
  'DELETE /auth/sessions/:id': 'account',
  'DELETE /events/:key': 'write',
  'DELETE /gdpr/restrict': 'self',
  'DELETE /learnings/:id': 'write',
  'DELETE /mcp': 'key',
  'DELETE /memories/:id': 'write',
  'DELETE /sessions/:id': 'admin',
  'GET /admin/audit-log': 'admin',
  'GET /admin/audit-log/export': 'admin',
  'GET /admin/backups': 'operator',
  'GET /admin/backups/:id': 'operator',
  'GET /admin/api-keys': 'admin',
  'GET /admin/consistency/checks': 'admin',
  'GET /admin/consistency/checks/:id': 'admin',
  'GET /admin/legal-holds': 'admin',
  'GET /admin/reindex': 'admin',
  'GET /admin/restores': 'operator',
  'GET /admin/restores/:id': 'operator',
  'GET /admin/retention/policies': 'admin',
  'GET /admin/retention/runs': 'admin',
  'GET /admin/retention/runs/:id': 'admin',
  'GET /admin/settings': 'admin',
  'GET /admin/tenants': 'operator',
  'GET /admin/users': 'admin',
  'GET /admin/users/:id': 'admin',
  'GET /archives': 'read',
  'GET /auth/api-keys': 'key',
  'GET /auth/me': 'key',
  'GET /auth/sessions': 'account',
  'GET /exports/:id': 'read',
  'GET /exports/:id/file': 'read',
  'GET /gdpr/requests': 'read',
  'GET /gdpr/requests/:id': 'read',
  'GET /graph': 'read',
  'GET /health': 'open',
  'GET /health/live': 'open',
  'GET /health/ready': 'open',
  'GET /imports/:id': 'read',
  'GET /imports/claude-mem/rows': 'write',
  'GET /imports/files/:id': 'admin',
  'GET /jobs': 'read',
  'GET /jobs/:id': 'read',
  'GET /schedules': 'operator',
  'GET /learnings': 'read',
  'GET /learnings/:id': 'read',
  'GET /mcp': 'key',
  'GET /memories/:id': 'read',
  'GET /memories/by-hash/:hash': 'read',
  'GET /metrics': 'scrape',
  'GET /openapi.json': 'open',
  'GET /profile': 'read',
  'GET /projects': 'read',
  'GET /projects/:id': 'read',
  'GET /roi': 'read',
  'GET /search': 'read',
  'GET /search/suggest': 'read',
  'GET /sessions': 'read',
  'GET /sessions/:id': 'read',
  'GET /sessions/:id/observations': 'read',
  'GET /sessions/:id/prompts': 'read',
  'GET /sessions/:id/summaries': 'read',
  'GET /stats': 'read',
  'GET /summaries/:id': 'read',
  'GET /timeline': 'read',
  'GET /trace': 'read',
  'GET /transcripts': 'capture',
  'GET /usage': 'read',
  'GET /usage/forecast': 'read',
  'GET /full-values/:sha256': 'admin',
  'POST /admin/audit-log/verify': 'admin',
  'POST /admin/backup': 'operator',
  'POST /admin/api-keys': 'admin',
  'POST /admin/api-keys/:id/rotate': 'admin',
  'POST /admin/backups/:id/verify': 'operator',
  'POST /admin/consistency': 'admin',
  'POST /admin/drill': 'operator',
  'POST /admin/legal-holds': 'admin',
  'POST /admin/reindex': 'admin',
  'POST /admin/restore': 'operator',
  'POST /admin/retention': 'admin',
  'POST /admin/retention/runs/:id/approve': 'admin',
  'POST /admin/tenants': 'operator',
  'POST /admin/users': 'admin',
  'POST /admin/users/:id/invite': 'admin',
  'POST /archives/:id/restore': 'admin',
  'POST /admin/tenants/:id/invite': 'operator',
  'POST /auth/api-keys/:id/rotate': 'key',
  'POST /auth/invites/accept': 'open',
  'POST /auth/login': 'open',
  'POST /auth/logout': 'open',
  'POST /auth/mfa/recovery': 'open',
  'POST /auth/mfa/totp': 'session',
  'POST /auth/mfa/totp/confirm': 'session',
  'POST /auth/mfa/verify': 'open',
  'POST /auth/refresh': 'open',
  'POST /auth/step-up': 'session',
  'POST /context': 'read',
  'POST /context/:id/feedback': 'read, writes',
  'POST /events': 'capture',
  'POST /events/batch': 'capture',
  'POST /exports': 'write',
  'POST /gdpr/erase': 'self',
  'POST /gdpr/export': 'self',
  'POST /gdpr/rectify': 'self',
  'POST /gdpr/requests/:id/decide': 'admin',
  'POST /gdpr/requests/:id/extend': 'admin',
  'POST /gdpr/restrict': 'self',
  'POST /hooks/:event': 'capture',
  'POST /imports': 'write',
  'POST /imports/:id/cancel': 'write',
  'POST /imports/claude-mem/rows': 'write',
  'POST /imports/files': 'admin',
  'POST /jobs/:id/cancel': 'write',
  'POST /jobs/:id/retry': 'write',
  'POST /schedules/:name/pause': 'operator',
  'POST /schedules/:name/resume': 'operator',
  'POST /schedules/:name/run': 'operator',
  'POST /learnings': 'write',
  'POST /learnings/:id/invalidate': 'write',
  'POST /learnings/:id/supersede': 'write',
  'POST /learnings/:id/verify': 'write',
  'POST /mcp': 'key',
  'POST /memories': 'write',
  'POST /memories/batch': 'write',
  'POST /memories/get': 'read',
  'POST /projects/:id/merge': 'write',
  'POST /search/semantic': 'read',
  'POST /sessions/:id/close': 'write',
  'POST /sessions/:id/summaries': 'write',
  'POST /transcripts': 'capture',
  'PUT /admin/retention/policies': 'admin',
  'PUT /admin/settings/:key': 'admin',
  'PUT /admin/api-keys/:id': 'admin',
  'PUT /admin/tenants/:id': 'operator',
  'PUT /admin/users/:id': 'admin',
  'PUT /auth/password': 'account',
  'PUT /learnings/:id': 'write',
  'PUT /memories/:id': 'write',
  'PUT /projects/:id': 'write',
  'PUT /sessions/:id': 'write',
};

const EVENT = { type: 'observation', host: 'test', session_id: 'guarded', text: 'text' };
/** Bodies that would be accepted, for routes that capture and remember. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /events': EVENT,
  'POST /events/batch': [EVENT],
  'POST /hooks/:event': { session_id: 'guarded' },
  'POST /learnings': { title: 'A title', description: 'A description' },
  'POST /memories': { content: 'Some content' },
};

export const nameOf = ({ method, url }: RouteAccess) => `${method} ${url.replace(/^\/api\/v1(?=\/)/, '')}`;

/** Routes below `/api/v1`, without HEAD, which the framework derives from GET. */
export const routesOf = ({ routes }: TestInstance) =>
  routes.filter(({ method, url }) => method !== 'HEAD' && url.startsWith('/api/v1/'));

/** Sends a request to a route, with `some` for each parameter of its path. */
export function callRoute(instance: TestInstance, route: RouteAccess, key: string | null): Promise<ApiAnswer> {
  const path = route.url.slice('/api/v1'.length).replaceAll(/:\w+/g, 'some');
  return instance.call(route.method, path, { key, body: BODIES[nameOf(route)] });
}
