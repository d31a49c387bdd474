import type { Bounds, CREDENTIAL_KINDS, Role, Scope } from '../../../domain/access.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';

/** What a request is authenticated by. */
export interface Credential {
  readonly kind: (typeof CREDENTIAL_KINDS)[number];
  readonly id: string;
}

/** A session, with the last proofs of its user. */
export interface LoginProof {
  readonly sessionId: string;
  readonly authenticatedAt: Date;
  /** The last proof of a second factor, or of a passkey. */
  readonly mfaAt: Date | null;
  readonly hasFactors: boolean;
  /** End of the key that a browser signed in by; null: it has none, or there is no key. */
  readonly keyExpiresAt: Date | null;
}

/** Who sends a request, with which rights. */
export interface Principal {
  readonly credential: Credential;
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly role: Role;
  readonly scopes: readonly Scope[];
  /** End of the credential; null: none. */
  readonly expiresAt: Date | null;
  /** What a key is bound to; null: nothing, as every other credential. */
  readonly bounds: Bounds | null;
  /** Quota of the credential alone, captures excepted; null: none. */
  readonly requestsPerMinute: number | null;
  /** An admin of the tenant that the instance was set up with. */
  readonly isOperator: boolean;
  /** Null unless the request is of a session. A browser that signed in by a key has the credential of the key, and a session. */
  readonly login: LoginProof | null;
}
