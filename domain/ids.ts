import { v5, v7 } from 'uuid';

/** A string that was validated or generated as one kind of id. The brand exists at compile time only. */
type Brand<Name extends string> = string & { readonly __id: Name };

export type TenantId = Brand<'tenant'>;
export type UserId = Brand<'user'>;
export type ProjectId = Brand<'project'>;
export type SessionId = Brand<'session'>;
/** Id of a row that can be a memory: a prompt, an observation, a summary or a learning. */
export type RowId = Brand<'row'>;

type AnyId = TenantId | UserId | ProjectId | SessionId | RowId;

/** Brands a string as an id. The caller guarantees that it came from our storage or passed a UUID check. */
export function asId<Id extends AnyId>(value: string): Id {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where a string becomes an id
  return value as Id;
}

/** Sorts before every row id: start of keyset pagination. */
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Returns a new UUIDv7: ordered by creation time, so ids also serve as the partition key of hot tables. */
export function newId<Id extends AnyId>(): Id {
  return asId<Id>(v7());
}

/** Returns the smallest UUIDv7 of this time in milliseconds since 1970. */
export function leastIdAt(atMs: number): string {
  const hex = Math.floor(atMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Namespace of all name-based ids. Never change it: vectors are found by it. */
const RECOLLECT_NAMESPACE = '6f1a3c52-8b0e-5d7f-9c41-2e7b6a90d3f4';

/**
 * Returns the id of a chunk's vector object: UUIDv5 over tenant, source row, chunk number and embedding model, joined by a character that
 * none of them contains, so re-embedding overwrites in place and ("ab", "c") never equals ("a", "bc").
 */
export function chunkObjectId(tenantId: TenantId, rowId: RowId, chunk: number, model: string): string {
  return v5([tenantId, rowId, String(chunk), model].join('\u001f'), RECOLLECT_NAMESPACE);
}
