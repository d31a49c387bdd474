import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type pg from 'pg';
import { z } from 'zod';
import { ROLES } from '../../domain/access.ts';
import { newId } from '../../domain/ids.ts';
import { seal, SealingError, unseal } from '../../domain/sealing.ts';
import type { KeyRing } from '../../domain/sealing.ts';
import { addSigningKey, listSigningKeys } from '../../stores/postgres/access/signing-keys.ts';
import { ApiError } from '../errors.ts';

const ALGORITHM = 'EdDSA';
/** Age at which a new key replaces another one. */
const SIGNING_DAYS = 30;
/** Longer by a day than a key signs: the longest token lasts for minutes. */
const VERIFYING_DAYS = SIGNING_DAYS + 1;
const DAY_MS = 86_400_000;
/** Keys are read for an unknown key id, at most this often. */
const RELOAD_MS = 1_000;
const LONGEST_TOKEN = 2_048;

/** Kinds of tokens. Each has its own type and audience, so that none is accepted as another one. */
const KINDS = {
  /** Authenticates requests of a session. */
  access: {
    typ: 'at+jwt',
    audience: 'api',
    seconds: 600,
    claims: z.object({
      sub: z.uuid(),
      tid: z.uuid(),
      sid: z.uuid(),
      role: z.enum(ROLES),
      av: z.int(),
    }),
  },
  /** Continues a log-in whose password was right: it opens the second step alone. */
  mfa: {
    typ: 'mfa+jwt',
    audience: 'mfa',
    seconds: 300,
    claims: z.object({ sub: z.uuid(), tid: z.uuid(), av: z.int() }),
  },
} as const;
export type TokenKind = keyof typeof KINDS;
type Claims<Kind extends TokenKind> = z.output<(typeof KINDS)[Kind]['claims']>;

interface LoadedKey {
  readonly id: string;
  readonly publicKey: KeyObject;
  readonly sealed: Uint8Array;
  readonly createdAt: Date;
}

interface SignedTokensOptions {
  readonly pool: pg.Pool;
  /** Returns the keys that open the signing keys; null if the instance has none. */
  readonly readRing: () => KeyRing | null;
  /** Named in every token. */
  readonly issuer: string;
}

/** Returns the key ring. @throws ApiError NOT_CONFIGURED */
export function requireRing(readRing: () => KeyRing | null): KeyRing {
  const ring = readRing();
  if (ring === null)
    throw new ApiError('NOT_CONFIGURED', 'this server has no log-in: the operator has not set RECOLLECT_SECRET_KEYS');
  return ring;
}

const placeOf = (rowId: string) => ({ column: 'signing_keys.sealed_private_key', tenantId: null, rowId }) as const;

/** Issues and verifies the JSON Web Tokens of log-ins, with Ed25519 keys that all processes of the instance share. */
export class SignedTokens {
  private readonly options: SignedTokensOptions;
  private keys: readonly LoadedKey[] = [];
  private signing: { readonly id: string; readonly key: KeyObject; readonly createdAt: Date } | null = null;
  private loadedAt = -RELOAD_MS;
  private loading: Promise<void> | null = null;

  constructor(options: SignedTokensOptions) {
    this.options = options;
  }

  /** Returns the life of a kind of token, in seconds. */
  secondsOf(kind: TokenKind): number {
    return KINDS[kind].seconds;
  }

  /** Returns a new token. @throws ApiError NOT_CONFIGURED */
  async issue<Kind extends TokenKind>(kind: Kind, claims: Claims<Kind>): Promise<string> {
    const { typ, audience, seconds } = KINDS[kind];
    const { id, key } = await this.signer();
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: ALGORITHM, typ, kid: id })
      .setIssuer(this.options.issuer)
      .setAudience(this.audienceOf(audience))
      .setIssuedAt()
      .setExpirationTime(`${seconds} s`)
      .sign(key);
  }

  /** Returns the claims of a token of this kind, with its end; null for any other text. */
  async verify<Kind extends TokenKind>(
    kind: Kind,
    token: string,
  ): Promise<{ readonly claims: Claims<Kind>; readonly expiresAt: Date } | null> {
    if (token.length > LONGEST_TOKEN) return null;
    const { typ, audience, claims } = KINDS[kind];
    try {
      const { payload } = await jwtVerify(token, ({ kid }) => this.verifier(kid), {
        algorithms: [ALGORITHM],
        typ,
        issuer: this.options.issuer,
        audience: this.audienceOf(audience),
        requiredClaims: ['iat', 'exp', 'sub'],
      });
      const parsed = z.object({ exp: z.int() }).and(claims).safeParse(payload);
      if (!parsed.success) return null;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by the schema of this kind
      return { claims: parsed.data as unknown as Claims<Kind>, expiresAt: new Date(parsed.data.exp * 1_000) };
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  private audienceOf(audience: string): string {
    return `${this.options.issuer}#${audience}`;
  }

  private async verifier(kid: string | undefined): Promise<KeyObject> {
    const known = () => this.keys.find(({ id }) => id === kid);
    if (known() === undefined && performance.now() - this.loadedAt >= RELOAD_MS) await this.load();
    const key = known();
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key.publicKey;
  }

  /** Returns the key that signs; adds one if there is none, it is too old, or the key ring does not open it. */
  private async signer(): Promise<{ readonly id: string; readonly key: KeyObject }> {
    const ring = requireRing(this.options.readRing);
    const isFresh = () =>
      this.signing !== null && Date.now() - this.signing.createdAt.getTime() < SIGNING_DAYS * DAY_MS;
    if (this.signing !== null && isFresh()) return this.signing;
    await this.load();
    const { pool } = this.options;
    for (let attempt = 0; attempt < 2; attempt++) {
      const [newest] = this.keys;
      const opened = newest === undefined ? null : openedBy(ring, newest);
      if (newest !== undefined && opened !== null) {
        this.signing = { id: newest.id, key: opened, createdAt: newest.createdAt };
        if (isFresh()) return this.signing;
      }
      const isUnreadable = newest !== undefined && opened === null;
      await addSigningKey(pool, newKeyPair(ring), SIGNING_DAYS, isUnreadable ? newest.id : null);
      await this.load();
    }
    throw new Error('there is no key that signs');
  }

  private load(): Promise<void> {
    this.loading ??= this.read().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  private async read(): Promise<void> {
    const stored = await listSigningKeys(this.options.pool, VERIFYING_DAYS);
    this.keys = stored.map(({ id, publicKey, sealedPrivateKey, createdAt }) => ({
      id,
      publicKey: createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }),
      sealed: sealedPrivateKey,
      createdAt,
    }));
    this.loadedAt = performance.now();
  }
}

/** Returns the private key; null if no key of the ring opens it. */
function openedBy(ring: KeyRing, { id, sealed }: LoadedKey): KeyObject | null {
  try {
    return createPrivateKey({ key: unseal(ring, placeOf(id), sealed), format: 'der', type: 'pkcs8' });
  } catch (error) {
    if (error instanceof SealingError) return null;
    throw error;
  }
}

function newKeyPair(ring: KeyRing) {
  const id = newId();
  const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  });
  return { id, publicKey: new Uint8Array(publicKey), sealedPrivateKey: seal(ring, placeOf(id), privateKey) };
}
