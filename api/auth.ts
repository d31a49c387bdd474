import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify';
import { ERROR_RESPONSES } from '../contract/shared.ts';
import { scopeOfOwnData, scopesOf } from '../domain/access.ts';
import type { Scope } from '../domain/access.ts';
import type { Principal } from '../stores/postgres/access/principal.ts';
import { BROWSER_TOKEN_PREFIX, keySha256 } from '../stores/postgres/access/secrets.ts';
import type { TenantView } from '../stores/postgres/connection/database.ts';
import type { Notifications } from '../stores/postgres/connection/notifications.ts';
import type { SessionSeeker } from '../stores/postgres/sessions/sessions.ts';
import { isAudited } from './audit/decision.ts';
import { isForBoundKeys } from './bounds.ts';
import { ApiError } from './errors.ts';
import type { RateLimits } from './http/rate-limits.ts';
import type { InnerCalls } from './inner-calls.ts';
import { isAccessToken } from './find-principal.ts';
import { requireRecentProof } from './login/step-up.ts';
import { sessionEnded } from './login/user-sessions.ts';
import { PrincipalCache } from './principal-cache.ts';
import type { BrowserCookie } from './viewer/browser-cookie.ts';

/** Who may use a route. */
export interface RouteAccess {
  readonly method: string;
  readonly url: string;
  /**
   * Scope that a credential needs; `open` needs none, `key` any, `self` the scope for the user's own data, `account` a session or a key with all scopes of the role of its
   * user, `session` a session, `scrape` the scrape token or an operator, `operator` an admin of the operator's tenant.
   */
  readonly access: Scope | 'open' | 'scrape' | 'key' | 'self' | 'account' | 'session' | 'operator';
  /** True for a route of a level that reads which writes all the same. */
  readonly writes: boolean;
  /** True if a session needs a proof of the last five minutes. */
  readonly stepUp: boolean;
  /** True if every answered request is recorded in the audit log; refused ones are on every route. */
  readonly isAudited: boolean;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route that was registered, with who may use it. */
    routeAccess: readonly RouteAccess[];
  }
  interface FastifyRequest {
    /** The caller, also of a refused request; null on open routes. */
    principal: Principal | null;
    /** Token of the cookie that signs the request; null: a key or a token of the header Authorization does. */
    browserToken: string | null;
  }
  interface FastifyContextConfig {
    /** A route without it is refused at start. */
    access?: RouteAccess['access'];
    writes?: boolean;
    /** Requests without a credential count as look-ups of their address: they may cost as much. */
    looksUp?: boolean;
    /** Requests store a log-in that has started; they have a quota of their address. */
    startsLogin?: boolean;
    /** OAuth clients may use the route. */
    acceptsGrants?: boolean;
    /** The cookie of a browser does not sign requests: the route is for programs, and pages of other hosts may call it. */
    ignoresCookies?: boolean;
    stepUp?: boolean;
  }
}

export interface AuthOptions {
  readonly innerCalls: InnerCalls;
  readonly limits: RateLimits;
  readonly findPrincipal: (token: string) => Promise<Principal | null>;
  readonly browserCookie: BrowserCookie;
  /** Notifies of every change of a key, a user or a tenant while it is listening. */
  readonly notifications: Pick<Notifications, 'isListening' | 'on' | 'start'>;
  /** Calls back when a connection to PostgreSQL was closed: the next one may lead to another database, which a restore put in place. */
  readonly onConnectionClosed: (listener: () => void) => void;
  /** May read /metrics, as operators may. */
  readonly scrapeToken: string | undefined;
}

const TOKEN_FORM = /^Bearer ([\x21-\x7e]{8,2048})$/i;

/** The browsable page of the API: a plugin's routes, which cannot say themselves that they are open. */
export const DOCS_PREFIX = '/docs';

/**
 * Access levels that a viewer may use, except on routes that set `writes`: reading, and the rights over the own data and account. On `key` routes, the routes that a tool
 * calls decide.
 */
const OF_VIEWERS: ReadonlySet<string> = new Set(['read', 'key', 'self', 'account', 'session', 'scrape']);

/** Returns the options of a route: who may use it, and its schema. */
export function route<const Schema extends FastifySchema>(access: RouteAccess['access'], schema: Schema) {
  return { config: { access }, schema };
}

/** Returns the options of a route that needs a recent proof of identity of a session: it changes who may access what, or cannot be undone. */
export function guardedRoute<const Schema extends FastifySchema>(access: RouteAccess['access'], schema: Schema) {
  return { config: { access, stepUp: true }, schema };
}

/** Authenticates every request before it is processed, and adds the error responses to the schemas of routes that need a key. */
export function registerAuth(app: FastifyInstance, options: AuthOptions): void {
  const cache = new PrincipalCache({ find: options.findPrincipal, isCurrent: () => options.notifications.isListening });
  options.onConnectionClosed(() => cache.clear());
  options.notifications.on('access_changed', () => cache.clear());
  app.addHook('onReady', async () => options.notifications.start());
  const routes: RouteAccess[] = [];
  app.decorate('routeAccess', routes);
  app.decorateRequest('principal', null);
  app.decorateRequest('browserToken', null);
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith(DOCS_PREFIX)) route.config = { ...route.config, access: 'open' };
    const { access, writes = false, stepUp = false } = route.config ?? {};
    if (access === undefined) throw new Error(`route ${route.url} does not say who may use it`);
    for (const method of [route.method].flat()) {
      const given = { method, url: route.url, access, writes, stepUp };
      const decided = { ...given, isAudited: isAudited(given) };
      routes.push(decided);
      // Notifications arrive after the answer: the caller's next request shall see the change all the same.
      if (mayChangeAccess(decided))
        route.onSend = [
          ...[route.onSend ?? []].flat(),
          async () => {
            cache.clear();
          },
        ];
    }
    if (access !== 'open' && route.schema?.hide !== true)
      route.schema = { ...route.schema, response: Object.assign({}, route.schema?.response, ERROR_RESPONSES) };
  });
  app.addHook('onRequest', async (request, reply) => {
    const access = request.routeOptions.config.access;
    if (access === undefined || access === 'open') {
      // Tokens in the body of an open route are looked up, too.
      if (request.method === 'POST' || request.routeOptions.config.looksUp === true)
        await options.limits.lookup(request, reply);
      if (request.routeOptions.config.startsLogin === true) await options.limits.loginStart(request, reply);
      return;
    }
    const caller = options.innerCalls.callerOf(request);
    if (caller === null && bearerOf(request) === '' && request.routeOptions.config.ignoresCookies !== true)
      request.browserToken = await options.browserCookie.tokenOf(request);
    const token = tokenOf(request);
    if (token === '')
      throw new ApiError(
        'UNAUTHENTICATED',
        request.routeOptions.config.ignoresCookies === true
          ? 'this route needs the header Authorization: Bearer KEY; it accepts no cookie'
          : 'this route needs the header Authorization: Bearer KEY',
      );
    if (
      access === 'scrape' &&
      options.scrapeToken !== undefined &&
      keySha256(token).equals(keySha256(options.scrapeToken))
    )
      return;
    const principal = caller ?? (await cache.principalOf(token, () => options.limits.lookup(request, reply)));
    if (principal === null)
      throw isAccessToken(token) || request.browserToken !== null
        ? sessionEnded()
        : new ApiError('INVALID_API_KEY', 'the key is unknown, expired or revoked');
    // A token is for its audience, `/mcp`, alone; the tools there send further requests.
    if (principal.credential.kind === 'grant' && caller === null && request.routeOptions.config.acceptsGrants !== true)
      throw new ApiError('INVALID_TOKEN', 'tokens of OAuth clients work at /mcp only');
    // Before the checks: a refused request is recorded with its key.
    request.principal = principal;
    // Refused requests count, too.
    const limited = options.limits.request(request, reply, principal, caller !== null);
    if (limited !== null) await limited;
    if (isViewer(principal) && (!OF_VIEWERS.has(access) || request.routeOptions.config.writes === true))
      throw new ApiError('FORBIDDEN', 'a viewer reads and changes nothing, whatever scopes the key has');
    if (principal.bounds !== null && !isForBoundKeys({ method: request.method, url: request.routeOptions.url ?? '' }))
      throw new ApiError('FORBIDDEN', 'this route is not for keys that are bound to namespaces or projects');
    requireRight(principal, access);
    if (request.routeOptions.config.stepUp === true) requireRecentProof(principal);
  });
}

/** Returns whether an answered request of a route may have changed who may access what: capture and searches never do. */
function mayChangeAccess({ method, access, isAudited }: RouteAccess): boolean {
  return !['GET', 'HEAD'].includes(method) && (access === 'open' || isAudited);
}

/** @throws ApiError FORBIDDEN for a principal that may not use routes of this level */
function requireRight(principal: Principal, access: Exclude<RouteAccess['access'], 'open'>): void {
  if (access === 'key') return;
  if (access === 'account' || access === 'session') {
    requireOwn(principal, access);
    return;
  }
  const scope = scopeFor(access, principal);
  if (!principal.scopes.includes(scope))
    throw new ApiError('FORBIDDEN', `this route needs a key with the scope ${scope}`);
  if (scope === 'admin' && !isAdmin(principal)) throw new ApiError('FORBIDDEN', 'this route is for admins');
  if ((access === 'operator' || access === 'scrape') && !operates(principal))
    throw new ApiError('FORBIDDEN', 'this route is for admins of the tenant that the instance was set up with');
}

function scopeFor(
  access: Exclude<RouteAccess['access'], 'open' | 'key' | 'account' | 'session'>,
  { role }: Principal,
): Scope {
  if (access === 'self') return scopeOfOwnData(role);
  return access === 'scrape' || access === 'operator' ? 'admin' : access;
}

/** Keys of agents have fewer scopes than their user: they shall not manage the account. @throws ApiError FORBIDDEN */
export function requireOwn({ credential, scopes, role }: Principal, access: 'account' | 'session'): void {
  if (credential.kind === 'session') return;
  if (access === 'session') throw new ApiError('FORBIDDEN', 'this route needs the access token of a log-in, not a key');
  if (credential.kind !== 'key' || scopesOf(role).some((scope) => !scopes.includes(scope)))
    throw new ApiError('FORBIDDEN', 'this route needs a log-in, or a key with all scopes of your role');
}

/** A viewer's own key may have no scope that keys of the agents lack: they shall not begin log-ins. @throws ApiError FORBIDDEN */
export function requireOwnKey({ credential, scopes }: Principal): void {
  if (credential.kind === 'key' && scopesOf('user').some((scope) => !scopes.includes(scope)))
    throw new ApiError(
      'FORBIDDEN',
      'a key of a viewer cannot set the first password: accept an invite with a password',
    );
}

/** Returns the key or token in the header of a request; '' without one. The token of a cookie is none: scripts never have it. */
function bearerOf(request: FastifyRequest): string {
  const bearer = TOKEN_FORM.exec(request.headers.authorization ?? '')?.[1] ?? '';
  return bearer.startsWith(BROWSER_TOKEN_PREFIX) ? '' : bearer;
}

/** Returns the key or token that authenticates a request; '' without one. */
export function tokenOf(request: FastifyRequest): string {
  return request.browserToken ?? bearerOf(request);
}

/** Returns the caller of a route that is not open. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null)
    throw new ApiError('UNAUTHENTICATED', 'this route needs the header Authorization: Bearer KEY');
  return request.principal;
}

/** Whether a request may read and nothing else, whatever scopes its key has. */
export function isViewer(principal: Principal): boolean {
  return principal.role === 'viewer';
}

/**
 * Whether a request has the rights of an admin of its tenant: to see other users' private rows, and to act for other users. The role gives them to the user,
 * the scope to the key: a key of an admin without that scope can do what a user's key can.
 */
export function isAdmin(principal: Principal): boolean {
  return principal.role === 'admin' && principal.scopes.includes('admin');
}

/** Returns whether a principal may read and control resources of the instance. */
export function operates(principal: Principal): boolean {
  return isAdmin(principal) && principal.isOperator;
}

/** Whether something of this user's may be seen and changed: one's own, or for an admin any of the tenant. */
export function mayActFor(principal: Principal, userId: string | null | undefined): boolean {
  return isAdmin(principal) || userId === principal.userId;
}

/** Returns the user whose private memories a request may read: undefined for admins, who read all of their tenant. */
export function viewerOf(principal: Principal): string | undefined {
  return isAdmin(principal) ? undefined : principal.userId;
}

/** Returns the tenant of a request, with the private rows that it may read and the bounds of its key. */
export function viewOf(principal: Principal): TenantView {
  return { tenantId: principal.tenantId, viewerId: viewerOf(principal), bounds: principal.bounds };
}

/** Returns whose sessions a request may name by their external id. */
export function seekerOf(principal: Principal): SessionSeeker {
  return { userId: principal.userId, namesAll: isAdmin(principal) };
}
