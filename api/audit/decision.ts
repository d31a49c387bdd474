/** What the decision depends on. */
interface DecidedRoute {
  readonly method: string;
  readonly url: string;
  readonly access: string;
  readonly writes: boolean;
}

/** Reads that reveal data of people or control of the instance. */
const REVEALING = /^\/(?:admin\/.*|gdpr\/.*|exports\/:id\/file|full-values\/:sha256)$/;

/** Changes of the caller's own access, on routes that every key may use. */
const OWN_ACCESS = /^(?:DELETE|POST|PUT) \/auth\/(?:api-keys\/|browser\/codes$)/;

/** A log-in that a browser completes by GET. */
const LOG_INS: ReadonlySet<string> = new Set(['GET /auth/oidc/:name/callback']);

/** Bulk rows of an import: capture by another way; `POST /imports` and the job record the import itself. */
const CAPTURING: ReadonlySet<string> = new Set(['POST /imports/claude-mem/rows']);

/** Requests of OAuth clients, which are nobody: the consent of the user is recorded, and a grant states how it ended. */
const OF_CLIENTS: ReadonlySet<string> = new Set(['POST /oauth/register', 'POST /oauth/revoke', 'POST /oauth/token']);

/** Returns the name of a route in the audit log: method and pattern, without the version of the api. */
export function actionOf({ method, url }: Pick<DecidedRoute, 'method' | 'url'>): string {
  return `${method} ${url.replace(/^\/api\/v\d+(?=\/)/, '')}`;
}

/**
 * Returns true for routes whose every answered request is recorded: those that change something and those that reveal data of people. Capture, searches
 * and reads by POST are not recorded. Refused requests with a known key are recorded on every route.
 */
export function isAudited(route: DecidedRoute): boolean {
  const action = actionOf(route);
  if (CAPTURING.has(action) || OF_CLIENTS.has(action)) return false;
  if (LOG_INS.has(action)) return true;
  if (route.method === 'GET' || route.method === 'HEAD') return REVEALING.test(action.slice(route.method.length + 1));
  return route.writes || OWN_ACCESS.test(action) || !['capture', 'read', 'key', 'scrape'].includes(route.access);
}
