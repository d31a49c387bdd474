import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RateClass, RateQuota } from '../../config/rate-settings.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import type { RouteAccess } from '../auth.ts';
import { ApiError } from '../errors.ts';
import type { RateLeases } from './rate-leases.ts';

const WINDOW_S = 60;

/** The class of each access level. A request to `/mcp` counts as a read. */
const CLASS_OF: Readonly<Record<RouteAccess['access'], RateClass | null>> = {
  open: null,
  key: 'read',
  self: 'write',
  account: 'read',
  session: 'read',
  scrape: 'admin',
  capture: 'capture',
  read: 'read',
  write: 'write',
  admin: 'admin',
  operator: 'admin',
};

/** What a quota is of: the class of a user's requests, a key, or requests of an address. */
type Limited = RateQuota | 'key';

export interface RateLimitOptions {
  readonly leases: RateLeases;
  /** Requests per minute; 0: no limit. */
  readonly rates: Readonly<Record<RateQuota, number>>;
  readonly onLimited: (limited: Limited) => void;
}

/** Limits of an api. They throw ApiError RATE_LIMITED. Responses carry the fields of draft-ietf-httpapi-ratelimit-headers-11. */
export interface RateLimits {
  /** Limits the look-ups of keys and tokens per address, before the query. Returns a function that uncounts the look-up. */
  lookup(request: FastifyRequest, reply: FastifyReply): Promise<() => void>;
  /** Limits the log-ins that an address starts: each is stored until it ends. */
  loginStart(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /**
   * Limits the requests of a user by class, and of a key; null if that was decided at once. `isInner`: the server sends the request for one to `/mcp`, which was
   * counted as a read; only writes count beside it.
   */
  request(request: FastifyRequest, reply: FastifyReply, principal: Principal, isInner: boolean): Promise<void> | null;
}

export function createRateLimits(options: RateLimitOptions): RateLimits {
  return {
    async lookup(request, reply) {
      const bucket = `address:${addressHash(request.ip)}`;
      await take(options, 'unknownKeys', options.rates.unknownKeys, bucket, reply);
      return () => options.leases.giveBack(bucket);
    },
    async loginStart(request, reply) {
      await take(options, 'loginStarts', options.rates.loginStarts, `starts:${addressHash(request.ip)}`, reply);
    },
    request(request, reply, { credential, userId, requestsPerMinute }, isInner) {
      const rateClass = CLASS_OF[request.routeOptions.config.access ?? 'open'];
      if (rateClass === null || (isInner && rateClass === 'read')) return null;
      const ofUser = () => take(options, rateClass, options.rates[rateClass], `user:${userId}:${rateClass}`, reply);
      if (isInner || requestsPerMinute === null || rateClass === 'capture') return ofUser();
      const ofKey = take(options, 'key', requestsPerMinute, `key:${credential.id}`, reply);
      return ofKey === null ? ofUser() : ofKey.then(() => ofUser() ?? undefined);
    },
  };
}

/** Takes a request from a bucket; returns null if that was decided at once. @throws ApiError RATE_LIMITED */
function take(
  { leases, onLimited }: RateLimitOptions,
  limitedClass: Limited,
  quota: number,
  bucket: string,
  reply: FastifyReply,
): Promise<void> | null {
  if (quota === 0) return null;
  const apply = ({ isGranted, remaining, resetMs }: Awaited<ReturnType<RateLeases['take']>>): void => {
    const resetS = Math.max(1, Math.ceil(resetMs / 1_000));
    void reply.header('ratelimit-policy', `"${limitedClass}";q=${quota};w=${WINDOW_S}`);
    void reply.header('ratelimit', `"${limitedClass}";r=${remaining};t=${resetS}`);
    if (isGranted) return;
    onLimited(limitedClass);
    void reply.header('retry-after', resetS);
    throw new ApiError('RATE_LIMITED', `more requests than ${quota} per minute; try again in ${resetS} s`);
  };
  const verdict = leases.take(bucket, { quota, windowS: WINDOW_S });
  if (verdict instanceof Promise) return verdict.then(apply);
  apply(verdict);
  return null;
}

const IPV6_NETWORK_PARTS = 4;

/** Returns an address, of IPv6 its network, since a host has 2^64 addresses. */
export function networkOf(address: string): string {
  return address.includes('.') ? address : expanded(address).slice(0, IPV6_NETWORK_PARTS).join(':');
}

/** Returns a hash of an address, so that none is stored. */
export function addressHash(address: string): string {
  return createHash('sha256').update(networkOf(address)).digest('base64url').slice(0, 22);
}

/** Returns the eight parts of an IPv6 address. */
function expanded(address: string): string[] {
  const [head = '', tail] = address.split('::', 2);
  const partsOf = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const first = partsOf(head);
  if (tail === undefined) return first;
  const last = partsOf(tail);
  return [...first, ...Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0'), ...last];
}
