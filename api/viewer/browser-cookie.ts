import type { FastifyReply, FastifyRequest } from 'fastify';
import { BROWSER_TOKEN_PREFIX } from '../../stores/postgres/access/secrets.ts';
import { ApiError } from '../errors.ts';
import { requireOwnOrigin } from '../http/own-origin.ts';

const NAME = 'recollect_';
const TOKEN = new RegExp(`^${BROWSER_TOKEN_PREFIX}[A-Za-z0-9_-]{43}$`);
/** With the cookies of other programs on this host: cookies ignore ports. */
const LONGEST_HEADER = 16_384;
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** Types that a page of another origin sends after a preflight only, which it does not pass: JSON, and the file of an import. */
const TYPES = /^application\/(?:json|zstd)(?:\s*;|$)/i;

interface BrowserCookieOptions {
  readonly instanceId: () => Promise<string>;
  readonly publicUrl: string | null;
}

/** The cookie that signs the requests of the viewer (docs/adr/0066). Its name contains the id of the instance, since several instances may run on one host. */
export class BrowserCookie {
  private readonly options: BrowserCookieOptions;

  constructor(options: BrowserCookieOptions) {
    this.options = options;
  }

  /**
   * Returns the token of a request that the viewer sends; null without the cookie of this instance.
   * @throws ApiError ORIGIN_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE
   */
  async tokenOf(request: FastifyRequest): Promise<string | null> {
    const { cookie: header = '', 'content-type': type } = request.headers;
    if (!header.includes(NAME) || header.length > LONGEST_HEADER) return null;
    const token = request.server.parseCookie(header)[await this.nameFor(request)];
    if (token === undefined || !TOKEN.test(token)) return null;
    requireOwnOrigin(request, this.options.publicUrl, !READS.has(request.method));
    // A form of another page can send every type that a browser sends without a preflight.
    if (type !== undefined && !TYPES.test(type))
      throw new ApiError(
        'UNSUPPORTED_MEDIA_TYPE',
        'requests with the cookie of a browser send JSON, or the file of an import',
      );
    return token;
  }

  /** Sends a token to the browser, until the session ends. */
  async set(request: FastifyRequest, reply: FastifyReply, token: string, expiresAt: Date): Promise<void> {
    const attributes = { path: '/', httpOnly: true, sameSite: 'strict', secure: this.isSecure(request) } as const;
    void reply.setCookie(await this.nameFor(request), token, { ...attributes, expires: expiresAt });
  }

  /** Removes the token from the browser. */
  clear(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    return this.set(request, reply, '', new Date(0));
  }

  /** `__Host-`: pages by plain HTTP on this host can neither set nor replace it. */
  private async nameFor(request: FastifyRequest): Promise<string> {
    return `${this.isSecure(request) ? '__Host-' : ''}${NAME}${await this.options.instanceId()}`;
  }

  /** Returns true if the browser uses TLS, also if a proxy that is not declared ends it. */
  private isSecure({ protocol, host }: FastifyRequest): boolean {
    const { publicUrl } = this.options;
    if (protocol === 'https') return true;
    return publicUrl?.startsWith('https://') === true && new URL(publicUrl).host === host;
  }
}
