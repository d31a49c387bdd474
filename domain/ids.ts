import { v5, v7 } from 'uuid';

/** A string that was checked, or made, to be one kind of id. The brand exists at compile time only. */
type Brand<Name extends string> = string & { readonly __id: Name };

export type TenantId = Brand<'tenant'>;
export type UserId = Brand<'user'>;
export type ProjectId = Brand<'project'>;
export type SessionId = Brand<'session'>;
/** Id of a row that can be a memory: a prompt, an observation, a summary or a learning. */
export type RowId = Brand<'row'>;

type AnyId = TenantId | UserId | ProjectId | SessionId | RowId;

/** Marks a string as an id. The caller guarantees that it came from our own storage or passed a UUID check at an edge. */
export function asId<Id extends AnyId>(value: string): Id {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where a string becomes an id
  return value as Id;
}

/** Before every id of a row: what a walk along ids begins after. */
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** A fresh UUIDv7: ordered by the time of its making, so that ids double as the partition key of hot tables. */
export function newId<Id extends AnyId>(): Id {
  return asId<Id>(v7());
}

/** The least UUIDv7 that can have been made at this time, in milliseconds since 1970, or later. */
export function leastIdAt(atMs: number): string {
  const hex = Math.floor(atMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** Namespace of every name-based id that Recollect derives. Never change it: vectors are found again by it. */
const RECOLLECT_NAMESPACE = '6f1a3c52-8b0e-5d7f-9c41-2e7b6a90d3f4';

/**
 * The id of a chunk's object in the vector index: UUIDv5 over tenant, source row, chunk number and embedding model, joined by a
 * character that none of them holds, so that re-embedding overwrites in place and ("ab", "c") never meets ("a", "bc").
 */
export function chunkObjectId(tenantId: TenantId, rowId: RowId, chunk: number, model: string): string {
  return v5([tenantId, rowId, String(chunk), model].join('\u001f'), RECOLLECT_NAMESPACE);
}
