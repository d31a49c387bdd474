import type { Config } from '../../config/config.ts';

/**
 * Returns the address of the api for browsers, without a slash at the end: the public one, else that of this machine by its name, which passkeys need. Never
 * derived from a request.
 */
export function publicUrlOf({ publicUrl, tls, port }: Config['http']): string {
  return publicUrl ?? `${tls === null ? 'http' : 'https'}://localhost:${port}`;
}
