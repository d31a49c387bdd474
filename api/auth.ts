import type { FastifyInstance, FastifyRequest } from 'fastify';
import { keySha256 } from '../stores/postgres/api-keys.ts';
import type { KeyHolder, Scope } from '../stores/postgres/api-keys.ts';
import { ApiError } from './errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null on open routes. */
    holder: KeyHolder | null;
  }
  interface FastifyContextConfig {
    /** Scope that a key needs here; `open` asks for no key, `key` for any, `operator` for an admin of the instance's own tenant. A route without it is refused at start. */
    access?: Scope | 'open' | 'scrape' | 'key' | 'operator';
  }
}

export interface AuthOptions {
  readonly findKeyHolder: (key: string) => Promise<KeyHolder | null>;
  /** Calls back when a connection to PostgreSQL was closed: the next one may lead to another database, which a restore put in place. */
  readonly onConnectionClosed: (listener: () => void) => void;
  /** May read /metrics without being an admin. */
  readonly scrapeToken: string | undefined;
}

/** A known key is believed for this long without asking PostgreSQL: so long may a revoked key still work. */
const BELIEVE_MS = 5_000;
const MAX_KNOWN_KEYS = 10_000;
const KEY_FORM = /^Bearer ([\x21-\x7e]{8,512})$/i;

/** Keys by their hash, so that the cache holds no secrets. */
class KeyCache {
  private readonly known = new Map<string, { readonly holder: KeyHolder; readonly until: number }>();

  get(hash: string): KeyHolder | null {
    const entry = this.known.get(hash);
    if (entry === undefined || entry.until < performance.now()) return null;
    return entry.holder;
  }

  set(hash: string, holder: KeyHolder): void {
    if (this.known.size >= MAX_KNOWN_KEYS) this.known.clear();
    this.known.set(hash, { holder, until: performance.now() + BELIEVE_MS });
  }

  clear(): void {
    this.known.clear();
  }
}

/** The browsable page of the API: a plugin's routes, which cannot say themselves that they are open. */
export const DOCS_PREFIX = '/docs';

/** Asks every request for its key before anything else is done with it. */
export function registerAuth(app: FastifyInstance, options: AuthOptions): void {
  const cache = new KeyCache();
  options.onConnectionClosed(() => cache.clear());
  app.decorateRequest('holder', null);
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith(DOCS_PREFIX)) route.config = { ...route.config, access: 'open' };
    if (route.config?.access === undefined) throw new Error(`route ${route.url} does not say who may use it`);
  });
  app.addHook('onRequest', async (request) => {
    const access = request.routeOptions.config.access;
    if (access === undefined || access === 'open') return;
    const key = KEY_FORM.exec(request.headers.authorization ?? '')?.[1];
    if (key === undefined)
      throw new ApiError('UNAUTHENTICATED', 'this route needs the header Authorization: Bearer KEY');
    if (
      access === 'scrape' &&
      options.scrapeToken !== undefined &&
      keySha256(key).equals(keySha256(options.scrapeToken))
    )
      return;
    const hash = keySha256(key).toString('base64');
    let holder = cache.get(hash);
    if (holder === null) {
      holder = await options.findKeyHolder(key);
      if (holder === null) throw new ApiError('INVALID_API_KEY', 'the key is unknown, expired or revoked');
      cache.set(hash, holder);
    }
    if (access === 'key') {
      request.holder = holder;
      return;
    }
    const scope = access === 'scrape' || access === 'operator' ? 'admin' : access;
    if (!holder.scopes.includes(scope))
      throw new ApiError('FORBIDDEN', `this route needs a key with the scope ${scope}`);
    if (scope === 'admin' && holder.role !== 'admin') throw new ApiError('FORBIDDEN', 'this route is for admins');
    if (access === 'operator' && !holder.isOperator)
      throw new ApiError('FORBIDDEN', 'this route is for admins of the tenant that the instance was set up with');
    request.holder = holder;
  });
}

/** Who asks, on a route that is not open. */
export function holderOf(request: FastifyRequest): KeyHolder {
  if (request.holder === null)
    throw new ApiError('UNAUTHENTICATED', 'this route needs the header Authorization: Bearer KEY');
  return request.holder;
}

/** Whether he may see and steer what is the whole instance's. */
export function operates(holder: KeyHolder): boolean {
  return holder.role === 'admin' && holder.isOperator && holder.scopes.includes('admin');
}

/** Whose private memories a search may show: undefined for admins, who see all of their tenant. */
export function viewerOf(holder: KeyHolder): string | undefined {
  return holder.role === 'admin' ? undefined : holder.userId;
}
