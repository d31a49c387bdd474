import { startHttpProxy } from './http-proxy.ts';
import type { HttpProxy } from './http-proxy.ts';

export interface FailingProxy extends HttpProxy {
  /** Number of failed requests. */
  failed(): number;
}

/** Forwards requests to a server and fails every `nth` one: alternately with a 503 and with a broken connection. */
export async function startFailingProxy(target: string, nth: number): Promise<FailingProxy> {
  let seen = 0;
  let failed = 0;
  const proxy = await startHttpProxy(target, {
    takes: (incoming, outgoing) => {
      seen += 1;
      if (seen % nth !== 0) return false;
      failed += 1;
      if (failed % 2 === 0) incoming.socket.destroy();
      else {
        incoming.resume();
        outgoing.writeHead(503, { connection: 'close' }).end();
      }
      return true;
    },
  });
  return { ...proxy, failed: () => failed };
}
