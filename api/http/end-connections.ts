import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Ends the connections of a server that stops. Node ends those that are between two requests at that moment, and would wait a minute for the
 * others: browsers open some ahead of their requests, and those of running requests stay open after the response.
 */
export function endConnections(app: FastifyInstance, hasTls: boolean): void {
  const unused = new Set<Socket>();
  let isEnding = false;
  app.server.on(hasTls ? 'secureConnection' : 'connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }) => unused.delete(socket));
  app.addHook('onResponse', async () => {
    if (isEnding) app.server.closeIdleConnections();
  });
  app.addHook('preClose', async () => {
    isEnding = true;
    for (const socket of unused) socket.destroy();
  });
}
