import type { FastifyReply } from 'fastify';

/**
 * Calls `run` once, when the response has ended or its connection was closed; at once if that was before, such as while the key was looked up: `close`
 * is emitted once only.
 */
export function onClosed({ raw }: FastifyReply, run: () => void): void {
  if (raw.destroyed) run();
  else raw.once('close', run);
}
