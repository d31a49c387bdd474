import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/** Wait before each attempt to listen again. */
const RETRY_MS = 250;
const KEEP_ALIVE_MS = 5_000;

interface AccessChangesOptions {
  readonly url: string;
  readonly connectTimeoutMs: number;
  /** Called when the connection is lost or cannot be opened, once until it is open again. */
  readonly onLost: (error: Error | null) => void;
}

/**
 * Notifications of the triggers `access_changed`: a key, a user or a tenant may do less, or more, than before. Listens on a connection of its own,
 * because a pool closes idle ones, and opens it again after a loss: a restore puts another database in place.
 */
export class AccessChanges {
  private readonly options: AccessChangesOptions;
  private readonly stopped = new AbortController();
  private client: pg.Client | null = null;
  private listening = false;
  private running: Promise<void> = Promise.resolve();

  constructor(options: AccessChangesOptions) {
    this.options = options;
  }

  /** Returns true while changes arrive: what was read since the last call of `onChange` is current. */
  get isListening(): boolean {
    return this.listening;
  }

  /** Starts to listen. Calls `onChange` after every change, and after each time that it could not listen. */
  start(onChange: () => void): void {
    this.running = this.run(onChange);
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    this.stopped.abort();
    await this.client?.end().catch(() => undefined);
    await this.running;
  }

  private async run(onChange: () => void): Promise<void> {
    const { signal } = this.stopped;
    let wasListening = true;
    while (!signal.aborted) {
      const error = await this.listen(onChange).catch((failure: unknown) => failure);
      wasListening ||= this.listening;
      this.listening = false;
      if (signal.aborted) return;
      if (wasListening) this.options.onLost(error instanceof Error ? error : null);
      wasListening = false;
      await wait(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Listens until the connection ends. Returns the reason if there is one. */
  private async listen(onChange: () => void): Promise<Error | null> {
    const client = new pg.Client({
      connectionString: this.options.url,
      connectionTimeoutMillis: this.options.connectTimeoutMs,
      application_name: 'recollect-api-access',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    });
    this.client = client;
    const ended = Promise.withResolvers<Error | null>();
    client.on('error', ended.resolve).on('end', () => ended.resolve(null));
    client.on('notification', onChange);
    try {
      const opened = client.connect().then(() => client.query('LISTEN access_changed'));
      // node-postgres never settles an attempt to connect that was ended meanwhile.
      if ((await Promise.race([opened, ended.promise.then(() => null)])) === null) return await ended.promise;
      // Before anything is believed: changes of the time before were missed.
      onChange();
      this.listening = true;
      return await ended.promise;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
