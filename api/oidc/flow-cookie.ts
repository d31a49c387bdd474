import type { FastifyReply, FastifyRequest } from 'fastify';
import { CHALLENGE_S } from '../../stores/postgres/access/auth-challenges.ts';

/** `__Host-`: only this host can set it, by TLS (or on localhost), for all of its paths. */
const NAME = '__Host-recollect_oidc';
/** Lax: the browser comes back from the provider, another site. */
const ATTRIBUTES = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' } as const;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
const LONGEST_HEADER = 8_192;

/** Binds a log-in that begins to the browser. */
export function setFlowCookie(reply: FastifyReply, secret: string): void {
  void reply.setCookie(NAME, secret, { ...ATTRIBUTES, maxAge: CHALLENGE_S });
}

/** Returns the secret of the log-in that the browser started, and removes it from the browser; null if it started none. */
export function takeFlowCookie(request: FastifyRequest, reply: FastifyReply): string | null {
  void reply.setCookie(NAME, '', { ...ATTRIBUTES, maxAge: 0 });
  const { cookie: header = '' } = request.headers;
  const secret = header.length > LONGEST_HEADER ? undefined : request.server.parseCookie(header)[NAME];
  return secret !== undefined && SECRET.test(secret) ? secret : null;
}
