import type { DrawnRate, RateLimit } from '../../stores/postgres/access/rate-limits.ts';

/** Draws from a bucket that all processes share. */
export type Draw = (bucket: string, want: number, limit: RateLimit) => Promise<DrawnRate>;

/** Answer to one request. */
export interface RateVerdict {
  readonly isGranted: boolean;
  /** Requests left in the window, as far as this process knows. */
  readonly remaining: number;
  readonly resetMs: number;
}

interface Lease {
  /** Requests that this process may grant by itself. */
  left: number;
  /** Left in the bucket beside the lease, at the last draw. */
  readonly beside: number;
  readonly endsAtMs: number;
}

/** Share of a quota that a process draws at once: a quota takes 20 statements, however many requests there are. */
const LEASED_SHARE = 0.05;
const MAX_LEASES = 20_000;

/**
 * Grants requests from leases on shared buckets: exact over all processes, since a lease is drawn before it is spent, at the cost of few
 * statements. If the store is unavailable, each process grants the quota by itself.
 */
export class RateLeases {
  private readonly draw: Draw;
  private readonly onFailure: (error: unknown) => void;
  private readonly leases = new Map<string, Lease>();
  private readonly draws = new Map<string, Promise<void>>();

  constructor(draw: Draw, onFailure: (error: unknown) => void) {
    this.draw = draw;
    this.onFailure = onFailure;
  }

  /** Takes one request from a bucket; waits for the store only if no lease decides. */
  take(bucket: string, limit: RateLimit): RateVerdict | Promise<RateVerdict> {
    return this.decide(bucket) ?? this.takeDrawn(bucket, limit);
  }

  /** Returns a request that was taken from a bucket to this process. One of an ended window is lost. */
  giveBack(bucket: string): void {
    const lease = this.leases.get(bucket);
    if (lease !== undefined && lease.endsAtMs > performance.now()) lease.left += 1;
  }

  private decide(bucket: string): RateVerdict | null {
    const lease = this.leases.get(bucket);
    const now = performance.now();
    if (lease === undefined || lease.endsAtMs <= now) return null;
    const resetMs = lease.endsAtMs - now;
    if (lease.left > 0) {
      lease.left -= 1;
      return { isGranted: true, remaining: lease.left + lease.beside, resetMs };
    }
    return lease.beside > 0 ? null : { isGranted: false, remaining: 0, resetMs };
  }

  private async takeDrawn(bucket: string, limit: RateLimit): Promise<RateVerdict> {
    for (;;) {
      let drawing = this.draws.get(bucket);
      if (drawing === undefined) {
        drawing = this.renew(bucket, limit).finally(() => this.draws.delete(bucket));
        this.draws.set(bucket, drawing);
      }
      await drawing;
      // Null again if those who waited before spent the lease.
      const verdict = this.decide(bucket);
      if (verdict !== null) return verdict;
    }
  }

  private async renew(bucket: string, limit: RateLimit): Promise<void> {
    const want = Math.max(1, Math.ceil(limit.quota * LEASED_SHARE));
    const drawn = await this.draw(bucket, want, limit).catch((error: unknown): DrawnRate => {
      this.onFailure(error);
      return { granted: limit.quota, remaining: 0, endsInMs: limit.windowS * 1_000 };
    });
    if (this.leases.size >= MAX_LEASES) this.forgetEnded();
    const { granted: left, remaining: beside } = drawn;
    this.leases.set(bucket, { left, beside, endsAtMs: performance.now() + Math.max(1, drawn.endsInMs) });
  }

  /** Frees memory; unspent leases of many callers are lost to them, never granted twice. */
  private forgetEnded(): void {
    const now = performance.now();
    for (const [bucket, lease] of this.leases) if (lease.endsAtMs <= now) this.leases.delete(bucket);
    if (this.leases.size >= MAX_LEASES) this.leases.clear();
  }
}
