import type { FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';

/**
 * Refuses requests of pages of another origin: cookies ignore ports, and pages of another port of this host are of the same site. `needsProof`: refuses also a
 * request that names no origin at all. Browsers send Sec-Fetch-Site by TLS and to this machine; by plain HTTP elsewhere they send Origin with what changes something.
 * @throws ApiError ORIGIN_NOT_ALLOWED
 */
export function requireOwnOrigin(
  { headers, protocol, host }: FastifyRequest,
  publicUrl: string | null,
  needsProof = false,
): void {
  const { origin, 'sec-fetch-site': site } = headers;
  const own = [`${protocol}://${host}`, ...(publicUrl === null ? [] : [new URL(publicUrl).origin])];
  const isForeign = (origin !== undefined && !own.includes(origin)) || (site !== undefined && site !== 'same-origin');
  const isUnproven = needsProof && origin === undefined && site === undefined;
  if (isForeign || isUnproven)
    throw new ApiError(
      'ORIGIN_NOT_ALLOWED',
      'cookies work for requests of pages of this server only: send Sec-Fetch-Site: same-origin or the Origin of the server, or use a key',
    );
}
