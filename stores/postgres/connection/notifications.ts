import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/** Wait before each attempt to listen again. */
const RETRY_MS = 250;
const KEEP_ALIVE_MS = 5_000;

/**
 * `access_changed`: a key, a user or a tenant may do less, or more, than before. `stream_appended`: events of the stream were committed.
 * `exclusions_changed`: sessions entered or left a folder that is excluded from capture. Triggers notify. `instance_sampled`: a sweep stored a sample, to
 * which each api process adds its own.
 */
const CHANNELS = ['access_changed', 'stream_appended', 'exclusions_changed', 'instance_sampled'] as const;
export type Channel = (typeof CHANNELS)[number];

interface NotificationOptions {
  readonly url: string;
  readonly connectTimeoutMs: number;
  /** Called when the connection is lost or cannot be opened, once until it is open again. */
  readonly onLost: (error: Error | null) => void;
}

/**
 * Notifications of PostgreSQL. Listens on a connection of its own, because a pool closes idle ones, and opens it again after a loss: a restore puts
 * another database in place.
 */
export class Notifications {
  private readonly options: NotificationOptions;
  private readonly listeners = new Map<string, (() => void)[]>();
  private readonly stopped = new AbortController();
  private client: pg.Client | null = null;
  private listening = false;
  private running: Promise<void> = Promise.resolve();

  constructor(options: NotificationOptions) {
    this.options = options;
  }

  /** Returns true while notifications arrive: what was read since the last call of a listener is current. */
  get isListening(): boolean {
    return this.listening;
  }

  /** Calls the listener after every notification of a channel, and after each time that none could arrive. */
  on(channel: Channel, listener: () => void): void {
    this.listeners.set(channel, [...(this.listeners.get(channel) ?? []), listener]);
  }

  /** Starts to listen. */
  start(): void {
    this.running = this.run();
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    this.stopped.abort();
    await this.client?.end().catch(() => undefined);
    await this.running;
  }

  private notify(channel: string): void {
    for (const listener of this.listeners.get(channel) ?? []) listener();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    let wasListening = true;
    while (!signal.aborted) {
      const error = await this.listen().catch((failure: unknown) => failure);
      wasListening ||= this.listening;
      this.listening = false;
      if (signal.aborted) return;
      if (wasListening) this.options.onLost(error instanceof Error ? error : null);
      wasListening = false;
      await wait(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Listens until the connection ends. Returns the reason if there is one. */
  private async listen(): Promise<Error | null> {
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
    client.on('notification', ({ channel }) => this.notify(channel));
    try {
      const opened = client
        .connect()
        .then(() => client.query(CHANNELS.map((channel) => `LISTEN ${channel}`).join('; ')));
      // node-postgres never settles an attempt to connect that was ended meanwhile.
      if ((await Promise.race([opened, ended.promise.then(() => null)])) === null) return await ended.promise;
      // Before anything is believed: notifications of the time before were missed.
      for (const channel of CHANNELS) this.notify(channel);
      this.listening = true;
      return await ended.promise;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
