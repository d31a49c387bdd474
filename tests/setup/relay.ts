import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { freePort } from './worker-process.ts';

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
  // Not one that the system gives: nothing else may get it while the line is cut.
  const own = await freePort();
  const listen = async (): Promise<void> => {
    server = createServer((incoming) => {
      const outgoing = connect(Number(port), hostname);
      open.add(incoming).add(outgoing);
      incoming.on('error', () => outgoing.destroy()).on('close', () => outgoing.destroy());
      outgoing.on('error', () => incoming.destroy()).on('close', () => incoming.destroy());
      incoming.pipe(outgoing).pipe(incoming);
    }).listen(own, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen();
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
    restore: listen,
  };
}
