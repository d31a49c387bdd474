import { z } from 'zod';

const perMinute = (what: string, quota: number) =>
  z.coerce.number().int().min(0).max(10_000_000).default(quota).describe(`${what} per minute; 0: no limit`);

/** Settings of rate limits. Quotas of users apply to all keys of a user together, over all api processes. */
export const rateEnvironment = {
  RECOLLECT_RATE_CAPTURE: perMinute('Requests of a user that capture', 60_000),
  RECOLLECT_RATE_READ: perMinute('Requests of a user that read', 6_000),
  RECOLLECT_RATE_WRITE: perMinute('Requests of a user that write', 3_000),
  RECOLLECT_RATE_ADMIN: perMinute('Requests of an admin to admin routes', 1_200),
  RECOLLECT_RATE_UNKNOWN_KEYS: perMinute('Keys of an address that are looked up in PostgreSQL', 3_000),
  RECOLLECT_RATE_LOGIN_STARTS: perMinute(
    'Log-ins by a provider, a passkey or for an MCP client that an address starts, each stored until it ends,',
    30,
  ),
};

type Environment = z.output<z.ZodObject<typeof rateEnvironment>>;

/** Classes of requests with quotas of their own, so that none uses up another's. */
export const RATE_CLASSES = ['capture', 'read', 'write', 'admin'] as const;
export type RateClass = (typeof RATE_CLASSES)[number];
/** What has a quota: a class of a user's requests, or requests of an address. */
export type RateQuota = RateClass | 'unknownKeys' | 'loginStarts';

/** Returns the part of the configuration of these settings: requests per minute, 0 without a limit. */
export function rateConfig(env: Environment): {
  readonly rates: Readonly<Record<RateQuota, number>>;
} {
  return {
    rates: {
      capture: env.RECOLLECT_RATE_CAPTURE,
      read: env.RECOLLECT_RATE_READ,
      write: env.RECOLLECT_RATE_WRITE,
      admin: env.RECOLLECT_RATE_ADMIN,
      unknownKeys: env.RECOLLECT_RATE_UNKNOWN_KEYS,
      loginStarts: env.RECOLLECT_RATE_LOGIN_STARTS,
    },
  };
}
