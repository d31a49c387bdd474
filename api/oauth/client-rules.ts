import { errors } from 'oidc-provider';

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);
const MAX_REDIRECTS = 20;
const MAX_REDIRECT_CHARS = 1_000;

/** Returns true for an address on the user's machine: a port of loopback, or a scheme that an installed program owns. */
function isNative({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' ? LOOPBACK.has(hostname) : protocol !== 'https:';
}

/**
 * Checks the redirect addresses of a client: https, loopback, or a scheme of its own; codes never travel in clear to another machine. Sets the type of
 * the client, which many do not declare. The library checks the rest, such as `javascript:`. @throws InvalidClientMetadata
 */
export function checkRedirects(value: unknown, metadata: { application_type?: unknown }): void {
  if (!Array.isArray(value)) return;
  if (value.length > MAX_REDIRECTS) throw new errors.InvalidClientMetadata('redirect_uris has too many members');
  const urls = value.map((given: unknown) => {
    const url = typeof given === 'string' && given.length <= MAX_REDIRECT_CHARS ? URL.parse(given) : null;
    if (url === null) throw new errors.InvalidClientMetadata('redirect_uris must only contain valid uris');
    if (url.protocol === 'http:' && !isNative(url))
      throw new errors.InvalidClientMetadata('redirect_uris with http must be on loopback');
    return url;
  });
  metadata.application_type = urls.some(isNative) ? 'native' : 'web';
}

/** Returns the host by which users recognise a client: of its document, else of the redirect address. */
export function hostOfClient(clientId: string, redirectUri: string): string {
  const document = URL.parse(clientId);
  if (document?.protocol === 'https:') return document.host;
  const redirect = URL.parse(redirectUri);
  return redirect === null || redirect.host === '' ? `${redirect?.protocol ?? ''}//` : redirect.host;
}

/** Returns what a policy names to allow a redirect: an origin, or the scheme of an installed program. */
export function sourceOf(redirectUri: string): string {
  const url = new URL(redirectUri);
  return /^https?:$/.test(url.protocol) ? url.origin : url.protocol;
}
