import type { FastifyReply, FastifyRequest } from 'fastify';
import { requireOwnOrigin } from '../http/own-origin.ts';

/** `__Host-`: only this host can set it, by TLS (or on localhost), for all of its paths. */
const NAME = '__Host-recollect_refresh';
const ATTRIBUTES = { path: '/', secure: true, httpOnly: true, sameSite: 'strict' } as const;
const TOKEN = /^rcr_[A-Za-z0-9_-]{43}$/;
const LONGEST_HEADER = 8_192;

/** Sends the refresh token to the browser until the session ends. */
export function setRefreshCookie(reply: FastifyReply, token: string, expiresAt: Date): void {
  void reply.setCookie(NAME, token, { ...ATTRIBUTES, expires: expiresAt });
}

/** Removes the refresh token from the browser. */
export function clearRefreshCookie(reply: FastifyReply): void {
  void reply.setCookie(NAME, '', { ...ATTRIBUTES, expires: new Date(0) });
}

/**
 * Returns the refresh token of a request; null if it has none. The two routes that read the cookie call this: a page of another origin cannot make
 * the browser send it there.
 * @throws ApiError ORIGIN_NOT_ALLOWED for a request of a page of another origin
 */
export function readRefreshCookie(request: FastifyRequest, publicUrl: string | null): string | null {
  const { cookie: header = '' } = request.headers;
  requireOwnOrigin(request, publicUrl);
  if (header.length > LONGEST_HEADER) return null;
  const token = request.server.parseCookie(header)[NAME];
  return token !== undefined && TOKEN.test(token) ? token : null;
}
