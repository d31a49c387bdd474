import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';

export interface Relay {
  readonly url: string;
  readonly port: number;
  /** Breaks all connections and refuses new ones, as a stopped server does. */
  cut(): Promise<void>;
  /** Forwards again, on the same port. */
  restore(): Promise<void>;
}

/** Forwards connections to a server, until it is cut: a test can cut the line without hurting the server that others use. */
export async function startRelay(target: string): Promise<Relay> {
  const { hostname, port } = new URL(target);
  const open = new Set<{ destroy(): unknown }>();
  let server: Server | null = null;
  const listen = async (at: number): Promise<number> => {
    server = createServer((incoming) => {
      const outgoing = connect(Number(port), hostname);
      open.add(incoming).add(outgoing);
      incoming.on('error', () => outgoing.destroy()).on('close', () => outgoing.destroy());
      outgoing.on('error', () => incoming.destroy()).on('close', () => incoming.destroy());
      incoming.pipe(outgoing).pipe(incoming);
    }).listen(at, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the relay has no port');
    return address.port;
  };
  const own = await listen(0);
  return {
    url: `http://127.0.0.1:${own}`,
    port: own,
    async cut() {
      const closed = server === null ? null : once(server, 'close');
      server?.close();
      for (const socket of open) socket.destroy();
      open.clear();
      await closed;
    },
    async restore() {
      await listen(own);
    },
  };
}
