import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface HttpProxy {
  readonly url: string;
  close(): Promise<void>;
}

export interface HttpProxyOptions {
  /** Returns true for a request that it answers or breaks itself. */
  readonly takes?: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;
  /** Called with each request, and with the status of its answer: either is passed on once this resolves. */
  readonly delays?: (incoming: IncomingMessage, status: number | null) => Promise<void> | undefined;
}

/** Forwards requests to a server. */
export async function startHttpProxy(target: string, options: HttpProxyOptions): Promise<HttpProxy> {
  const { hostname, port } = new URL(target);
  const answer = (incoming: IncomingMessage, received: IncomingMessage, outgoing: ServerResponse): void => {
    const status = received.statusCode ?? 502;
    const pass = (): void => {
      outgoing.writeHead(status, received.headers);
      // Readers of a stream get the headers before its first event.
      outgoing.flushHeaders();
      received.pipe(outgoing);
    };
    const delay = options.delays?.(incoming, status);
    if (delay === undefined) pass();
    else delay.then(pass, () => outgoing.destroy());
  };
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    // The header Host stays: signatures cover it.
    const { method, url: path, headers } = incoming;
    const passed = request({ hostname, port, method, path, headers }, (received) =>
      answer(incoming, received, outgoing),
    );
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  };
  const server = createServer((incoming, outgoing) => {
    if (options.takes?.(incoming, outgoing) === true) return;
    const delay = options.delays?.(incoming, null);
    if (delay === undefined) forward(incoming, outgoing);
    else
      delay.then(
        () => forward(incoming, outgoing),
        () => outgoing.destroy(),
      );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
