/** Bytes of all bodies in memory. A user's share fits two of the largest hooks, or one piece of a transcript. */
const ALL_BYTES = 160 * 1024 * 1024;
const USER_BYTES = 80 * 1024 * 1024;

/** Bytes of bodies in memory, of all requests and of each user: beyond the bounds a request is refused instead of taking more. */
export class BodyBudget {
  private readonly allBytes: number;
  private readonly userBytes: number;
  private reserved = 0;
  private readonly bufferedByUser = new Map<string, number>();

  constructor(allBytes: number = ALL_BYTES, userBytes: number = USER_BYTES) {
    this.allBytes = allBytes;
    this.userBytes = userBytes;
  }

  /** Reserves the bytes and returns true, or returns false and reserves nothing. */
  reserve(user: string, bytes: number): boolean {
    const ofUser = (this.bufferedByUser.get(user) ?? 0) + bytes;
    if (this.reserved + bytes > this.allBytes || ofUser > this.userBytes) return false;
    this.add(user, bytes);
    return true;
  }

  release(user: string, bytes: number): void {
    this.add(user, -bytes);
  }

  /** Bytes reserved now. */
  get bufferedBytes(): number {
    return this.reserved;
  }

  private add(user: string, bytes: number): void {
    this.reserved += bytes;
    const left = (this.bufferedByUser.get(user) ?? 0) + bytes;
    if (left > 0) this.bufferedByUser.set(user, left);
    else this.bufferedByUser.delete(user);
  }
}
