import { ApiError } from '../errors.ts';
import { bodyEndedEarly } from './collect-body.ts';

/** Maximum concurrent uploads of one kind. */
interface SlotLimits {
  readonly perUser: number;
  readonly total: number;
}

/** An upload that delivers less than this per time span ends, so that it does not occupy its slot. */
const STEP_BYTES = 64 * 1024 * 1024;
const STEP_MS = 5 * 60_000;
/** The same for an upload that is collected in memory. */
export const UPLOAD_DEADLINE_MS = STEP_MS;

/** Slots for long requests, such as those with large bodies, limited per user (or another owner) and in total. */
export class RequestSlots {
  private readonly limits: SlotLimits;
  private readonly busy: string;
  private total = 0;
  private readonly byUser = new Map<string, number>();

  /** `busy`: message of the error if no slot is free. */
  constructor(limits: SlotLimits, busy = 'other uploads are being read; try again') {
    this.limits = limits;
    this.busy = busy;
  }

  /** Occupies a slot of the user and returns an idempotent function that releases it. @throws ApiError BUSY if none is free */
  take(userId: string): () => void {
    const own = this.byUser.get(userId) ?? 0;
    if (own >= this.limits.perUser || this.total >= this.limits.total) throw new ApiError('BUSY', this.busy);
    this.byUser.set(userId, own + 1);
    this.total += 1;
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      const left = (this.byUser.get(userId) ?? 1) - 1;
      if (left === 0) this.byUser.delete(userId);
      else this.byUser.set(userId, left);
      this.total -= 1;
    };
  }

  /** Runs work in a slot of the user. @throws ApiError BUSY if none is free */
  async run<Result>(userId: string, work: () => Promise<Result>): Promise<Result> {
    const giveBack = this.take(userId);
    try {
      return await work();
    } finally {
      giveBack();
    }
  }
}

/**
 * The pieces of a body that is read as a stream, as long as they keep coming: `STEP_BYTES` in each `STEP_MS`.
 * @throws ApiError REQUEST_TIMEOUT for a slower one, MALFORMED_REQUEST if the client closed the connection
 */
export async function* piecesInTime(body: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  const pieces = body[Symbol.asyncIterator]();
  let bytes = 0;
  for (;;) {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new ApiError('REQUEST_TIMEOUT', 'the upload is too slow')), STEP_MS);
    try {
      for (bytes = 0; bytes < STEP_BYTES;) {
        const read = pieces.next().catch(() => {
          // A body has no other error.
          throw bodyEndedEarly();
        });
        const next = await Promise.race([read, late]);
        if (next.done === true) return;
        const piece: Buffer = Buffer.isBuffer(next.value) ? next.value : Buffer.from(String(next.value));
        bytes += piece.length;
        yield piece;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
