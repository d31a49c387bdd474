import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../stores/postgres/access/principal.ts';

/** Header of requests that the server dispatches to itself. */
export const INNER_CALL_HEADER = 'x-recollect-inner-call';

/**
 * Requests that the server dispatches to itself for a request to `/mcp`. They name it by a random ticket, which works as long as it runs: they have its caller,
 * whose token is not looked up again and whose requests are not counted again.
 */
export class InnerCalls {
  private readonly callers = new Map<string, Principal>();

  /** Returns a ticket for requests on behalf of a caller. */
  open(caller: Principal): string {
    const ticket = randomUUID();
    this.callers.set(ticket, caller);
    return ticket;
  }

  close(ticket: string): void {
    this.callers.delete(ticket);
  }

  /** Returns the caller of a request of the server itself; null for every other request. */
  callerOf(request: FastifyRequest): Principal | null {
    const ticket = request.headers[INNER_CALL_HEADER];
    return typeof ticket === 'string' ? (this.callers.get(ticket) ?? null) : null;
  }
}
