import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Ends connections that have sent no request yet when the server stops. Browsers open some ahead of their requests, and Node would wait a
 * minute for each: only connections between two requests are idle for it.
 */
export function endUnusedConnections(app: FastifyInstance, hasTls: boolean): void {
  const unused = new Set<Socket>();
  app.server.on(hasTls ? 'secureConnection' : 'connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }) => unused.delete(socket));
  app.addHook('preClose', async () => {
    for (const socket of unused) socket.destroy();
  });
}
