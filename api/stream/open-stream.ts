import type { TenantView } from '../../stores/postgres/connection/database.ts';
import type { StreamFilter } from '../../domain/stream.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';

/** Proxies close a connection that is silent for a minute, the server after two. */
const BEAT_MS = 15_000;
/** A reader that takes nothing for this long is disconnected; it continues where it was. */
const BLOCKED_MS = 30_000;

export interface StreamRequest {
  readonly principal: Principal;
  /** The bearer token, to look the principal up again. */
  readonly token: string;
  readonly view: TenantView;
  readonly filter: StreamFilter;
  /** Last event of the reader; null: from now on. */
  readonly after: number | null;
  /** False: until now only. */
  readonly follows: boolean;
  /** Disconnects a reader that takes nothing. */
  readonly disconnect: () => void;
}

/** One open response. It has a position, and no events. */
export class OpenStream {
  readonly request: StreamRequest;
  position = 0;
  /** Position at which a stream that does not follow ends. */
  end = Infinity;
  private ended = false;
  private sentAt = performance.now();
  private isWaitingForReader = false;
  private wakeUp: (() => void) | null = null;

  constructor(request: StreamRequest) {
    this.request = request;
  }

  get hasEnded(): boolean {
    return this.ended;
  }

  /** Whether the reader would hear nothing for too long. */
  get isBeatDue(): boolean {
    return performance.now() - this.sentAt >= BEAT_MS;
  }

  /** Ends the response after what was sent. */
  close(): void {
    this.ended = true;
    this.wake();
  }

  /** Looks for new events, and whether the reader still may read and does. Called every second. */
  tick(): void {
    const { principal, disconnect } = this.request;
    if (principal.expiresAt !== null && principal.expiresAt.getTime() <= Date.now()) this.close();
    if (this.isWaitingForReader && performance.now() - this.sentAt >= BLOCKED_MS) {
      this.close();
      disconnect();
    }
    if (this.isBeatDue) this.wake();
  }

  wake(): void {
    this.wakeUp?.();
    this.wakeUp = null;
  }

  /** Resolves at the next call of `wake`. */
  slept(): Promise<void> {
    return new Promise((resolve) => {
      this.wakeUp = resolve;
    });
  }

  /** Records that the reader was given something. */
  giving(): void {
    this.sentAt = performance.now();
    this.isWaitingForReader = true;
  }

  /** Records that the reader took it. */
  given(): void {
    this.isWaitingForReader = false;
  }
}
