import type { FastifyInstance } from 'fastify';
import type { Config } from '../../config/config.ts';
import { isLoopbackHost } from '../../config/rules.ts';
import { ApiError } from '../errors.ts';

/** Returns the host of a Host header in lower case, without port and brackets. */
export function hostOf(header: string): string {
  return header
    .replace(/:\d{0,5}$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}

/**
 * Refuses requests under a name that is not the server's: a page of another site can let its own name resolve to this address, and browsers
 * then regard the server as that site's. An address is such a name only if it is that of another machine: probes and scrapers of clusters
 * connect to an address, and send it as Host. Programs without Host (HTTP/1.0) are no browsers.
 */
export function registerHosts(app: FastifyInstance, { host, publicUrl, allowedHosts }: Config['http']): void {
  const own = publicUrl === null ? [] : [hostOf(new URL(publicUrl).host)];
  const allowed = new Set([host.toLowerCase(), ...allowedHosts, ...own]);
  app.addHook('onRequest', async ({ headers, raw: { socket } }) => {
    if (headers.host === undefined) return;
    const requested = hostOf(headers.host);
    if (isLoopbackHost(requested) || allowed.has(requested)) return;
    if (requested === socket.localAddress?.replace(/^::ffff:(?=\d)/, '')) return;
    throw new ApiError(
      'HOST_NOT_ALLOWED',
      'this server is not known under the name in the Host header: use its public address, or add the name to RECOLLECT_ALLOWED_HOSTS',
    );
  });
}
