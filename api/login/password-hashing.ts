import { availableParallelism } from 'node:os';
import { hashPassword, verifyPassword } from '../../domain/passwords.ts';
import { ApiError } from '../errors.ts';

/** Hashes at once: each occupies a core and 64 MiB. One core is left for other routes. */
const AT_ONCE = Math.max(1, Math.min(4, availableParallelism() - 1));
/** Requests that wait for one of them. */
const MOST_WAITING = 16;

/** Hashes passwords beside the event loop, few at once: a burst of log-ins is refused and leaves time for other routes. */
export class PasswordHashing {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** Returns the hash of a password. @throws ApiError RATE_LIMITED */
  hash(password: string): Promise<string> {
    return this.run(() => hashPassword(password));
  }

  /** Returns true if a password has this hash; null, of an unknown user, takes the same time. @throws ApiError RATE_LIMITED */
  verify(stored: string | null, password: string): Promise<boolean> {
    return this.run(() => verifyPassword(stored, password));
  }

  /** Returns true if another request would be refused. */
  get isFull(): boolean {
    return this.waiting.length >= MOST_WAITING;
  }

  private async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.running >= AT_ONCE) {
      if (this.isFull) throw tooManyLogins();
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else {
      this.running += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      // The next one inherits the place.
      if (next === undefined) this.running -= 1;
      else next();
    }
  }
}

/** Returns the error for a request beyond the capacity. */
export function tooManyLogins(): ApiError {
  return new ApiError('RATE_LIMITED', 'too many log-ins at once; try again in a second');
}
