import { once } from 'node:events';
import { createServer, request } from 'node:http';

export interface FailingProxy {
  readonly url: string;
  /** Number of failed requests. */
  failed(): number;
  close(): Promise<void>;
}

/** Forwards requests to a server and fails every `nth` one: alternately with a 503 and with a broken connection. */
export async function startFailingProxy(target: string, nth: number): Promise<FailingProxy> {
  const { hostname, port } = new URL(target);
  let seen = 0;
  let failed = 0;
  const server = createServer((incoming, outgoing) => {
    seen += 1;
    if (seen % nth === 0) {
      failed += 1;
      if (failed % 2 === 0) {
        incoming.socket.destroy();
        return;
      }
      incoming.resume();
      outgoing.writeHead(503, { connection: 'close' }).end();
      return;
    }
    // The signature covers the host header.
    const passed = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    failed: () => failed,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
