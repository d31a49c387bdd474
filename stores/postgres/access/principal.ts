import type { Bounds, CREDENTIAL_KINDS, Role, Scope } from '../../../domain/access.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';

/** What a request is authenticated by. */
export interface Credential {
  readonly kind: (typeof CREDENTIAL_KINDS)[number];
  readonly id: string;
}

/** The last proofs of the user in a session. */
export interface LoginProof {
  readonly authenticatedAt: Date;
  /** The last proof of a second factor, or of a passkey. */
  readonly mfaAt: Date | null;
  readonly hasFactors: boolean;
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
  /** Null unless the credential is a session. */
  readonly login: LoginProof | null;
}
