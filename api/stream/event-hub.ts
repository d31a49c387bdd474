import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TenantId } from '../../domain/ids.ts';
import { matchesFilter, mayRead } from '../../domain/stream.ts';
import type { StreamFilter } from '../../domain/stream.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import { viewOfUser } from '../../stores/postgres/connection/database.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { Notifications } from '../../stores/postgres/connection/notifications.ts';
import { numberStreamEvents, readStreamEvents } from '../../stores/postgres/stream/stream-events.ts';
import type { StreamClock } from '../../stores/postgres/stream/stream-events.ts';
import { ApiError } from '../errors.ts';
import { Coalesced } from './coalesced.ts';
import { eventFrame, signalFrame } from './frames.ts';
import { OpenStream } from './open-stream.ts';
import type { StreamRequest } from './open-stream.ts';
import { Tail } from './tail.ts';
import type { Stretch } from './tail.ts';

/** Without a hint, too, new events are looked for: one can be lost with its connection. */
const TICK_MS = 1_000;
/** Pause between two reads: events of this time are read and sent together. Each write costs some tenths of a millisecond, so that it grows with the streams. */
const PAUSE_MS = 50;
const PAUSE_MS_PER_STREAM = 0.5;
/** Streams that write before other requests have their turn. */
const WOKEN_AT_ONCE = 20;
const READ_AT_ONCE = 1_000;
/** Events of one write: more never waits for a blocked reader. */
const SENT_AT_ONCE = 100;
const EVERYTHING: StreamFilter = { types: null, projectId: null, sessionId: null };

interface EventHubOptions {
  readonly database: Database;
  readonly notifications: Pick<Notifications, 'on'>;
  readonly findPrincipal: (token: string) => Promise<Principal | null>;
  /** Open streams of one user, and of all, in this process. */
  readonly limits: { readonly perUser: number; readonly total: number };
  /** Called when events could not be read, once until they are. */
  readonly onFailure: (error: unknown) => void;
}

/** What a stream depends on: the end of the credential, too, which a rotation sets. */
function rightsOf({ tenantId, userId, role, scopes, bounds, expiresAt }: Principal): string {
  return JSON.stringify([tenantId, userId, role, scopes, bounds, expiresAt]);
}

/**
 * The open streams of this process. One request to PostgreSQL serves all: it numbers the committed events, and the tail of each tenant reads them. A reader
 * behind the tail reads pages by itself, under the policies.
 */
export class EventHub {
  private readonly options: EventHubOptions;
  private readonly streams = new Set<OpenStream>();
  private readonly tails = new Map<TenantId, Tail>();
  private readonly reading = new Coalesced(
    () => Math.max(PAUSE_MS, PAUSE_MS_PER_STREAM * this.streams.size),
    () => this.read(),
  );
  private readonly revocation = new Coalesced(
    () => PAUSE_MS,
    () => this.endRevoked(),
  );
  private clock: StreamClock = { last: 0, keptAfter: 0 };
  private timer: NodeJS.Timeout | null = null;
  private hasFailed = false;
  private isClosed = false;

  constructor(options: EventHubOptions) {
    this.options = options;
    options.notifications.on('stream_appended', () => this.request(this.reading));
    options.notifications.on('access_changed', () => this.request(this.revocation));
  }

  /** Number of open streams. */
  get size(): number {
    return this.streams.size;
  }

  /**
   * Opens a stream. Returns its frames: `ready` or `reset` first, then events in order, each once. The caller closes it when the reader has disconnected.
   * @throws ApiError RATE_LIMITED
   */
  async open(request: StreamRequest): Promise<{ readonly frames: AsyncGenerator<string>; readonly close: () => void }> {
    const stream = this.admit(request);
    try {
      const clock = await numberStreamEvents(this.options.database.pool);
      const { tenantId } = request.view;
      const tail = this.tails.get(tenantId) ?? new Tail(clock.last);
      this.tails.set(tenantId, tail);
      const { after, follows } = request;
      const isKnown = after !== null && after >= clock.keptAfter && after <= clock.last;
      stream.position = isKnown ? after : clock.last;
      if (!follows) stream.end = clock.last;
      this.request(this.reading);
      // A change of access may have arrived before the stream was known here.
      await this.endIfRevoked(request.token, [stream]);
      const first = signalFrame(after === null || isKnown ? 'ready' : 'reset', stream.position);
      return { frames: this.frames(stream, tail, first), close: () => this.remove(stream) };
    } catch (error) {
      this.remove(stream);
      throw error;
    }
  }

  /** Ends every stream, and opens no more. */
  close(): void {
    this.isClosed = true;
    for (const stream of this.streams) stream.close();
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private admit(request: StreamRequest): OpenStream {
    const { perUser, total } = this.options.limits;
    const { userId } = request.principal;
    const own = [...this.streams].filter((stream) => stream.request.principal.userId === userId).length;
    if (own >= perUser)
      throw new ApiError('RATE_LIMITED', `you have ${perUser} open streams; close one before you open another`);
    if (this.streams.size >= total)
      throw new ApiError('RATE_LIMITED', `this server has ${total} open streams; try again later`);
    const stream = new OpenStream(request);
    this.streams.add(stream);
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
    return stream;
  }

  private remove(stream: OpenStream): void {
    stream.close();
    if (!this.streams.delete(stream)) return;
    const { tenantId } = stream.request.view;
    if (![...this.streams].some((other) => other.request.view.tenantId === tenantId)) this.tails.delete(tenantId);
    if (this.streams.size > 0 || this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
  }

  private async *frames(stream: OpenStream, tail: Tail, first: string): AsyncGenerator<string> {
    try {
      for (let text = first; !stream.hasEnded; text = await this.next(stream, tail)) {
        if (text === '') return;
        stream.giving();
        yield text;
        stream.given();
      }
    } finally {
      this.remove(stream);
    }
  }

  /** Returns what the reader receives next; '' at the end. */
  private async next(stream: OpenStream, tail: Tail): Promise<string> {
    while (!stream.hasEnded && !this.isClosed) {
      // Its next events were deleted, or a restore put a database in place whose positions begin later.
      if (stream.position < this.clock.keptAfter) {
        stream.position = this.clock.last;
        return signalFrame('reset', stream.position);
      }
      const { frames, upTo } = await this.stretch(stream, tail);
      stream.position = Math.max(stream.position, upTo);
      if (frames.length > 0) return frames.join('');
      if (stream.position >= stream.end) return '';
      if (stream.isBeatDue) return signalFrame('beat', stream.position);
      if (stream.position >= tail.head) await stream.slept();
    }
    return '';
  }

  private async stretch({ position, request: { view, filter } }: OpenStream, tail: Tail): Promise<Stretch> {
    const near = tail.after(position, (event) => mayRead(view, event) && matchesFilter(filter, event), SENT_AT_ONCE);
    if (near !== null) return near;
    const { head } = tail;
    const range = { after: position, upTo: head, filter, limit: SENT_AT_ONCE };
    const events = await readStreamEvents(this.options.database, view, range);
    const last = events.length < SENT_AT_ONCE ? undefined : events.at(-1);
    return { frames: events.map(eventFrame), upTo: last?.position ?? head };
  }

  private tick(): void {
    for (const stream of this.streams) stream.tick();
    this.request(this.reading);
  }

  /** Requests work that is needed while streams are open only. */
  private request(work: Coalesced): void {
    if (this.streams.size > 0 && !this.isClosed) work.request();
  }

  /** Reads new events into the tails, and wakes the streams. */
  private async read(): Promise<void> {
    try {
      const clock = await numberStreamEvents(this.options.database.pool);
      // Only an older database is behind: another one was put in place. The readers connect again, and begin again.
      if (clock.last < this.clock.last) for (const stream of this.streams) stream.close();
      this.clock = clock;
      for (const [tenantId, tail] of this.tails) await this.extend(tenantId, tail, clock.last);
      await this.wake([...this.streams].filter((stream) => stream.position < clock.last));
      this.hasFailed = false;
    } catch (error) {
      // The next tick tries again.
      if (!this.hasFailed) this.options.onFailure(error);
      this.hasFailed = true;
    }
  }

  private async wake(streams: readonly OpenStream[]): Promise<void> {
    for (const [index, stream] of streams.entries()) {
      if (index > 0 && index % WOKEN_AT_ONCE === 0) await nextTurn();
      stream.wake();
    }
  }

  private async extend(tenantId: TenantId, tail: Tail, last: number): Promise<void> {
    while (tail.head < last) {
      const range = { after: tail.head, upTo: last, filter: EVERYTHING, limit: READ_AT_ONCE };
      const events = await readStreamEvents(this.options.database, viewOfUser(tenantId), range);
      tail.append(events, events.length < READ_AT_ONCE ? last : (events.at(-1)?.position ?? last));
    }
  }

  /** Ends the streams whose credential does not work any more, or with other rights. */
  private async endRevoked(): Promise<void> {
    const byToken = Map.groupBy(this.streams, (stream) => stream.request.token);
    for (const [token, streams] of byToken) {
      try {
        await this.endIfRevoked(token, streams);
      } catch (error) {
        // PostgreSQL is unavailable, so that nothing is sent either; the notifications begin again with it.
        this.options.onFailure(error);
      }
    }
  }

  private async endIfRevoked(token: string, streams: readonly OpenStream[]): Promise<void> {
    const principal = await this.options.findPrincipal(token);
    for (const stream of streams)
      if (principal === null || rightsOf(principal) !== rightsOf(stream.request.principal)) stream.close();
  }
}
