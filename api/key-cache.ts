import type { Principal } from '../stores/postgres/access/api-keys.ts';
import { keySha256 } from '../stores/postgres/access/secrets.ts';

/** A known key is believed for at most this long, if changes of access arrive; else it is looked up for each request. */
const BELIEVE_MS = 5_000;
const MAX_KNOWN_KEYS = 10_000;

interface KeyCacheOptions {
  readonly find: (key: string) => Promise<Principal | null>;
  /** Returns true while every change of access clears the cache. */
  readonly isCurrent: () => boolean;
}

/** Caches principals by the hash of their key, so that it contains no secrets. */
export class KeyCache {
  private readonly options: KeyCacheOptions;
  private readonly known = new Map<string, { readonly principal: Principal; readonly until: number }>();
  private cleared = 0;

  constructor(options: KeyCacheOptions) {
    this.options = options;
  }

  /** Returns the principal of a key; null if the key is not valid. Awaits `beforeLookup` unless the key is known. */
  async principalOf(key: string, beforeLookup: () => Promise<void>): Promise<Principal | null> {
    const hash = keySha256(key).toString('base64');
    const entry = this.known.get(hash);
    if (entry !== undefined && entry.until > performance.now() && this.options.isCurrent()) return entry.principal;
    await beforeLookup();
    const { cleared } = this;
    const principal = await this.options.find(key);
    // A change that arrived meanwhile may be newer than what was read.
    if (principal !== null && cleared === this.cleared) this.set(hash, principal);
    return principal;
  }

  clear(): void {
    this.cleared += 1;
    this.known.clear();
  }

  private set(hash: string, principal: Principal): void {
    if (this.known.size >= MAX_KNOWN_KEYS) this.known.clear();
    const { expiresAt } = principal;
    const leftMs = expiresAt === null ? BELIEVE_MS : Math.min(BELIEVE_MS, expiresAt.getTime() - Date.now());
    this.known.set(hash, { principal, until: performance.now() + leftMs });
  }
}
