import { isIP } from 'node:net';
import type { Config } from '../../config/config.ts';
import { ApiError } from '../errors.ts';
import { publicUrlOf } from '../http/public-url.ts';

/** What a passkey is bound to. */
export interface RelyingParty {
  /** Name of the host. */
  readonly id: string;
  /** Address of the pages that use the passkey. */
  readonly origin: string;
}

/** Returns the host and the origin of passkeys. @throws ApiError NOT_CONFIGURED for an address without a name, to which browsers bind no passkey */
export function relyingParty(http: Config['http']): RelyingParty {
  const { hostname, origin } = new URL(publicUrlOf(http));
  if (isIP(hostname.replaceAll(/[[\]]/g, '')) !== 0)
    throw new ApiError(
      'NOT_CONFIGURED',
      'passkeys need an address with a name: the operator sets RECOLLECT_PUBLIC_URL, such as http://localhost:37700',
    );
  return { id: hostname, origin };
}
