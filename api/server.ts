import { randomUUID } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import cookie from '@fastify/cookie';
import Fastify, { LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import helmet from 'helmet';
import type { OauthConfig } from '../config/oauth-settings.ts';
import { createTlsServer } from '../config/tls-server.ts';
import { registerAudit } from './audit/record.ts';
import { registerAuth } from './auth.ts';
import { BODY_BYTES, registerBodyParsers } from './http/body.ts';
import { registerBodyRelease } from './http/collect-body.ts';
import { InnerCalls } from './inner-calls.ts';
import type { Api, ApiDependencies } from './dependencies.ts';
import { registerCors } from './http/cors.ts';
import { registerDocument } from './http/document.ts';
import { answerError } from './errors.ts';
import { endConnections } from './http/end-connections.ts';
import { registerHosts } from './http/hosts.ts';
import { wellFormedJson } from './http/json.ts';
import { registerTracing } from './http/tracing.ts';
import { createMethodGuard } from './http/methods.ts';
import { registerObservation } from './http/observation.ts';
import { createRateLimits } from './http/rate-limits.ts';
import { oauthRoutes } from './oauth/mount.ts';
import { backupRoutes } from './routes/operations/backups.ts';
import { consistencyRoutes } from './routes/operations/consistency.ts';
import { contextListRoutes } from './routes/memories/contexts.ts';
import { contextFeedbackRoutes, contextRoutes } from './routes/memories/context.ts';
import { eventRoutes } from './routes/capture/events.ts';
import { exportRoutes } from './routes/operations/exports.ts';
import { forgetRoutes, oneMemoryRoutes } from './routes/memories/memory.ts';
import { gdprRequestRoutes } from './routes/operations/gdpr-requests.ts';
import { gdprRoutes } from './routes/operations/gdpr.ts';
import { graphRoutes } from './routes/memories/graph.ts';
import { grantRoutes } from './routes/access/grants.ts';
import { keyRoutes } from './routes/access/api-keys.ts';
import { ownKeyRoutes } from './routes/access/own-keys.ts';
import { authRoutes } from './routes/access/auth.ts';
import { userSessionRoutes } from './routes/access/user-sessions.ts';
import { loginRoutes } from './routes/access/login.ts';
import { mfaRoutes } from './routes/access/mfa.ts';
import { identityRoutes } from './routes/access/identities.ts';
import { oidcRoutes } from './routes/access/oidc.ts';
import { passkeyRoutes } from './routes/access/passkeys.ts';
import { tenantRoutes } from './routes/access/tenants.ts';
import { transferRoutes } from './routes/access/transfer.ts';
import { userRoutes } from './routes/access/users.ts';
import { aboutRoutes } from './routes/about.ts';
import { browserRoutes } from './routes/access/browser.ts';
import { healthRoutes } from './routes/health.ts';
import { claudeMemRoutes } from './routes/operations/claude-mem-rows.ts';
import { importRoutes } from './routes/operations/imports.ts';
import { hookRoutes } from './routes/capture/hooks.ts';
import { jobRoutes } from './routes/operations/jobs.ts';
import { mcpRoutes } from './routes/mcp.ts';
import { reindexRoutes } from './routes/operations/reindex.ts';
import { learningBatchRoutes } from './routes/memories/learning-batch.ts';
import { learningChangeRoutes } from './routes/memories/learning-changes.ts';
import { learningRoutes } from './routes/memories/learnings.ts';
import { memoryRoutes } from './routes/memories/memories.ts';
import { profileRoutes } from './routes/memories/profile.ts';
import { projectRoutes } from './routes/projects.ts';
import { restoreRoutes } from './routes/operations/restores.ts';
import { archiveRoutes } from './routes/operations/archives.ts';
import { auditRoutes } from './routes/operations/audit-log.ts';
import { holdRoutes } from './routes/operations/legal-holds.ts';
import { retentionRoutes } from './routes/operations/retention.ts';
import { roiRoutes, usageRoutes } from './routes/usage.ts';
import { scheduleRoutes } from './routes/operations/schedules.ts';
import { searchRoutes } from './routes/memories/search.ts';
import { feedRoutes } from './routes/sessions/feed.ts';
import { sessionRowRoutes } from './routes/sessions/session-rows.ts';
import { sessionSteeringRoutes } from './routes/sessions/session-steering.ts';
import { streamRoutes } from './routes/stream.ts';
import { sessionRoutes } from './routes/sessions/sessions.ts';
import { settingRoutes } from './routes/settings.ts';
import { statsRoutes } from './routes/operations/stats.ts';
import { summaryRoutes } from './routes/sessions/summaries.ts';
import { timelineRoutes } from './routes/sessions/timeline.ts';
import { traceRoutes } from './routes/sessions/trace.ts';
import { transcriptRoutes } from './routes/sessions/transcripts.ts';
import { valueRoutes } from './routes/capture/full-values.ts';
import { BUILT_VIEWER, mountViewer, readViewer, registerPages } from './viewer/mount.ts';

/** The routes under `/api/v1`, by subject. */
const ROUTES: readonly ((api: Api, dependencies: ApiDependencies) => void)[] = [
  hookRoutes,
  eventRoutes,
  sessionRoutes,
  sessionRowRoutes,
  feedRoutes,
  sessionSteeringRoutes,
  streamRoutes,
  jobRoutes,
  scheduleRoutes,
  consistencyRoutes,
  statsRoutes,
  reindexRoutes,
  restoreRoutes,
  traceRoutes,
  forgetRoutes,
  projectRoutes,
  settingRoutes,
  summaryRoutes,
  learningRoutes,
  learningChangeRoutes,
  learningBatchRoutes,
  graphRoutes,
  profileRoutes,
  valueRoutes,
  searchRoutes,
  timelineRoutes,
  memoryRoutes,
  oneMemoryRoutes,
  contextRoutes,
  contextListRoutes,
  contextFeedbackRoutes,
  importRoutes,
  exportRoutes,
  gdprRoutes,
  gdprRequestRoutes,
  backupRoutes,
  transcriptRoutes,
  retentionRoutes,
  holdRoutes,
  archiveRoutes,
  auditRoutes,
  claudeMemRoutes,
  usageRoutes,
  roiRoutes,
  userRoutes,
  transferRoutes,
  keyRoutes,
  ownKeyRoutes,
  grantRoutes,
  authRoutes,
  loginRoutes,
  mfaRoutes,
  userSessionRoutes,
  oidcRoutes,
  passkeyRoutes,
  identityRoutes,
  tenantRoutes,
  browserRoutes,
  aboutRoutes,
];

export const API_VERSION = '1';
const PREFIX = `/api/v${API_VERSION}`;
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;
/** The longest name that a route takes as a part of its address. */
const LONGEST_NAME = 2_048;
/** Addresses included, where a character may take twelve bytes. */
const HEADER_BYTES = 64 * 1024;
/** A client that sends nothing for this long is not coming back. */
const IDLE_TIMEOUT_MS = 120_000;

/**
 * Returns helmet's security headers, computed once because all responses share them. Without TLS a browser that upgrades requests, or
 * requires TLS later, could not connect.
 */
function securityHeaders(hasTls: boolean): Record<string, string> {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  const contentSecurityPolicy = { directives: { upgradeInsecureRequests: hasTls ? [] : null } };
  helmet({ ...(hasTls ? {} : { hsts: false }), contentSecurityPolicy })(request, response, () => undefined);
  return Object.fromEntries(Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]));
}

export interface ServerOptions {
  readonly dependencies: ApiDependencies;
  readonly logger: FastifyBaseLogger;
  /** True after a stop request: readiness then fails first. */
  readonly isStopping: () => boolean;
  /** Folder of the built viewer; by default that of the package. */
  readonly viewerFolder?: string;
}

/** The HTTP server with every route; not listening yet. */
export async function createServer({
  dependencies,
  logger,
  isStopping,
  viewerFolder = BUILT_VIEWER,
}: ServerOptions): Promise<FastifyInstance> {
  const { tls, trustProxy } = dependencies.config.http;
  const security = securityHeaders(tls !== null);
  const methods = createMethodGuard({ ...security, 'x-api-version': API_VERSION });
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    // Forwarded addresses are believed from the declared proxies only.
    trustProxy: [...trustProxy],
    // NDJSON may take as long as it takes, as long as something comes.
    requestTimeout: 0,
    connectionTimeout: IDLE_TIMEOUT_MS,
    return503OnClosing: true,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    // The plugin appends `/mcp` to the address that the user typed, which may end in a slash.
    rewriteUrl: ({ url = '/' }) => url.replace(/^\/{2,}(?=mcp(?:\?|$))/, '/'),
    // What schemas allow of a part of an address, in halves of pairs.
    routerOptions: { maxParamLength: 2 * LONGEST_NAME },
    ...(tls === null
      ? {}
      : {
          serverFactory: createTlsServer({
            files: tls,
            maxHeaderSize: HEADER_BYTES,
            idleTimeoutMs: IDLE_TIMEOUT_MS,
            logger,
          }),
        }),
    http: { maxHeaderSize: HEADER_BYTES },
    clientErrorHandler: methods.clientErrorHandler,
    // Addresses that no route sees, in the same shape and with the same headers.
    frameworkErrors: (error, request, reply) =>
      answerError(
        error,
        request,
        reply.headers({ ...security, 'x-request-id': request.id, 'x-api-version': API_VERSION }),
      ),
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerError);
  // First: it counts requests that another hook refuses, too.
  registerObservation(app, dependencies.metrics, PREFIX);
  app.addHook('onRequest', async (_request, reply) => {
    void reply.headers(security);
  });
  registerHosts(app, dependencies.config.http);
  registerCors(app, dependencies.config.http.corsOrigins);
  // Before the body is read: the route that receives the request validates it.
  app.addHook('onRequest', async (request, reply) => {
    const rest = request.is404 ? /^\/api\/(?!v\d)(.*)$/s.exec(request.url) : null;
    if (rest !== null) await reply.redirect(`${PREFIX}/${rest[1] ?? ''}`, 308);
  });
  const viewer = readViewer(viewerFolder);
  registerPages(app, viewer);
  methods.register(app);
  // Normalises parameters like captured text, so that names with NUL or lone surrogates match; JSON is normalised at parsing.
  app.addHook('preValidation', async (request) => {
    request.params = wellFormedJson(request.params);
    request.query = wellFormedJson(request.query);
  });
  // Cookies are parsed by the routes that read them.
  await app.register(cookie, { hook: false });
  registerBodyParsers(app);
  registerBodyRelease(app);
  endConnections(app, tls !== null);
  const limits = createRateLimits({
    leases: dependencies.rateLeases,
    rates: dependencies.config.rates,
    onLimited: (limited) => dependencies.metrics.rateLimited.inc({ class: limited }),
  });
  registerAudit(app, dependencies);
  const innerCalls = new InnerCalls();
  registerAuth(app, {
    innerCalls,
    limits,
    findPrincipal: dependencies.findPrincipal,
    browserCookie: dependencies.browserCookie,
    notifications: dependencies.notifications,
    onConnectionClosed: (listener) => dependencies.database.pool.on('remove', listener),
    scrapeToken: dependencies.config.http.scrapeToken,
  });
  registerTracing(app, dependencies.tracing, dependencies.config.http);
  app.addHook('onSend', async (request, reply) => {
    void reply.headers({ 'x-request-id': request.id, 'x-api-version': API_VERSION });
  });
  await registerDocument(app, API_VERSION);
  const { corsOrigins, publicUrl } = dependencies.config.http;
  const pageHosts = [...corsOrigins, ...(publicUrl === null ? [] : [publicUrl])].map((url) => new URL(url).hostname);
  const atBothPlaces = (api: Api, oauth: OauthConfig | null): void => {
    healthRoutes(api, { ...dependencies, isStopping });
    mcpRoutes(api, { innerCalls, oauth, pageHosts });
  };
  await app.register(
    async (api: Api) => {
      for (const register of ROUTES) register(api, dependencies);
      atBothPlaces(api, null);
      api.get('/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, () => app.swagger());
    },
    { prefix: PREFIX },
  );
  // Probes and scrapers look for health and metrics at the root, too, and agents are configured with `/mcp`.
  await app.register(async (root: Api) => {
    atBothPlaces(root, dependencies.config.oauth);
    await oauthRoutes(root, dependencies);
    await mountViewer(root, viewer);
  });
  return app;
}
