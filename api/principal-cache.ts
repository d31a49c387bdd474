import type { Principal } from '../stores/postgres/access/principal.ts';
import { keySha256 } from '../stores/postgres/access/secrets.ts';

/** A known token is believed for at most this long, if changes of access arrive; else it is looked up for each request. */
const BELIEVE_MS = 5_000;
const MAX_KNOWN = 10_000;

interface PrincipalCacheOptions {
  readonly find: (token: string) => Promise<Principal | null>;
  /** Returns true while every change of access clears the cache. */
  readonly isCurrent: () => boolean;
}

/** Caches principals by the hash of their key or token, so that it contains no secrets. */
export class PrincipalCache {
  private readonly options: PrincipalCacheOptions;
  /** Also those that must be looked up again: one that was valid does not count as a guess. */
  private readonly known = new Map<
    string,
    { readonly principal: Principal; readonly until: number; readonly cleared: number }
  >();
  private cleared = 0;

  constructor(options: PrincipalCacheOptions) {
    this.options = options;
  }

  /**
   * Returns the principal of a key or token; null if it is not valid. Awaits `beforeGuess` before the look-up of one that was not valid in this process
   * before, and calls what it returns if it is valid.
   */
  async principalOf(token: string, beforeGuess: () => Promise<() => void>): Promise<Principal | null> {
    const hash = keySha256(token).toString('base64');
    const entry = this.known.get(hash);
    if (entry !== undefined && this.isBelieved(entry)) return entry.principal;
    const giveBack = entry === undefined ? await beforeGuess() : undefined;
    const { cleared } = this;
    const principal = await this.options.find(token);
    if (principal === null) {
      this.known.delete(hash);
      return null;
    }
    giveBack?.();
    this.set(hash, principal, cleared);
    return principal;
  }

  /** Causes the next request of each key to look it up. */
  clear(): void {
    this.cleared += 1;
  }

  private isBelieved({ until, cleared }: { readonly until: number; readonly cleared: number }): boolean {
    return cleared === this.cleared && until > performance.now() && this.options.isCurrent();
  }

  /** `cleared`: before the look-up. A change that arrived since may be newer than what was read. */
  private set(hash: string, principal: Principal, cleared: number): void {
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    const { expiresAt } = principal;
    const leftMs = expiresAt === null ? BELIEVE_MS : Math.min(BELIEVE_MS, expiresAt.getTime() - Date.now());
    this.known.set(hash, { principal, until: performance.now() + leftMs, cleared });
  }
}
