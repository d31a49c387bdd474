import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

export interface SilentProxy {
  /** The given database through this proxy. */
  readonly url: string;
  /** Drops all data of open connections without closing them; connections opened later work. */
  fallSilent(): void;
  /** Number of connections opened so far. */
  readonly opened: number;
  close(): Promise<void>;
}

/** Proxies PostgreSQL like a network whose other end may vanish without a reset. */
export async function startSilentProxy(databaseUrl: string): Promise<SilentProxy> {
  const target = new URL(databaseUrl);
  const live = new Set<{ silent: boolean }>();
  const sockets = new Set<Socket>();
  let opened = 0;
  const server = createServer((client) => {
    opened += 1;
    const connection = { silent: false };
    live.add(connection);
    const upstream = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (!connection.silent) to.write(bytes);
      });
      // The end of one side of a silent connection is not passed to the other.
      from.on('error', () => from.destroy());
      from.on('close', () => {
        sockets.delete(from);
        if (!connection.silent) to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return {
    url: url.href,
    fallSilent() {
      for (const connection of live) connection.silent = true;
      live.clear();
    },
    get opened() {
      return opened;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
