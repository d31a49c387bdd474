import { v7 } from 'uuid';
import { z } from 'zod';
import { sessionKey } from '../../../domain/claude-mem/session-name.ts';
import type { SessionRef } from '../../../domain/claude-mem/session-name.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import { ANY_USER } from '../erasure/forgotten.ts';
import { lockProjects } from '../projects/project-changes.ts';

/** The session of imported rows, with the data to create it if it is missing. */
export interface RequestedSession {
  readonly ref: SessionRef;
  readonly title: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly startedAtMs: number;
  readonly lastAtMs: number;
}

const sessionRow = rowOf({
  id: z.string(),
  host: z.string(),
  external_id: z.string(),
  project_id: z.string().nullable(),
  user_id: z.string(),
  status: z.string(),
  last_seq: z.number(),
  consumed_seq: z.number(),
  ended_at: z.date().nullable(),
});

/** A session of this instance. */
export type CurrentSession = Omit<z.output<typeof sessionRow>, 'host' | 'externalId'>;

/** A user's sessions of these names by their keys. Locked in the order of their ids, as captures lock them, where they are to be written. */
export async function findSessions(
  transaction: TenantTransaction,
  userId: UserId,
  refs: readonly SessionRef[],
  locked: boolean,
): Promise<Map<string, CurrentSession>> {
  const hosts = refs.map(({ host }) => host);
  const names = refs.map(({ externalId }) => externalId);
  const rows = locked
    ? await transaction.$queryRaw`
        SELECT s.id, s.host, s.external_id, s.project_id, s.user_id, s.status, s.last_seq, s.consumed_seq, s.ended_at
          FROM unnest(${hosts}::text[], ${names}::text[]) AS v(host, external_id)
          JOIN sessions s ON s.tenant_id = (SELECT current_tenant_id()) AND s.host = v.host AND s.external_id = v.external_id AND s.user_id = ${userId}::uuid ORDER BY s.id FOR NO KEY UPDATE OF s`
    : await transaction.$queryRaw`
        SELECT s.id, s.host, s.external_id, s.project_id, s.user_id, s.status, s.last_seq, s.consumed_seq, s.ended_at
          FROM unnest(${hosts}::text[], ${names}::text[]) AS v(host, external_id)
          JOIN sessions s ON s.tenant_id = (SELECT current_tenant_id()) AND s.host = v.host AND s.external_id = v.external_id AND s.user_id = ${userId}::uuid`;
  return new Map(
    z
      .array(sessionRow)
      .parse(rows)
      .map((row) => [sessionKey(row), row]),
  );
}

const keyRow = rowOf({ host: z.string(), external_id: z.string() });

/** Returns those of the sessions that were forgotten: they are not created again. */
export async function forgottenSessions(
  transaction: TenantTransaction,
  userId: UserId,
  refs: readonly SessionRef[],
): Promise<ReadonlySet<string>> {
  const rows = await transaction.$queryRaw`
    SELECT t.host, t.external_id FROM unnest(${refs.map(({ host }) => host)}::text[], ${refs.map(({ externalId }) => externalId)}::text[]) AS v(host, external_id)
      JOIN tombstones t ON t.tenant_id = (SELECT current_tenant_id()) AND t.host = v.host AND t.external_id = v.external_id AND t.key_sha256 = sha256('session')
       AND t.user_id IN (${userId}::uuid, ${Prisma.raw(ANY_USER)})`;
  return new Set(
    z
      .array(keyRow)
      .parse(rows)
      .map((row) => sessionKey(row)),
  );
}

const aliasRow = z.object({ alias: z.string(), project_id: z.string() });

/**
 * Returns projects by claude-mem's names, and creates missing ones. A name is a folder's basename, which many folders share: it matches a
 * project that is known by that name alone, never one with a remote or a path.
 */
export async function projectsByName(
  transaction: TenantTransaction,
  tenantId: TenantId,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const aliases = [...new Set(names)].toSorted().map((name) => `name:${name}`);
  if (aliases.length === 0) return new Map();
  const find = async () =>
    new Map(
      z
        .array(aliasRow)
        .parse(
          await transaction.$queryRaw`SELECT alias, project_id FROM project_aliases WHERE tenant_id = ${tenantId}::uuid AND alias = ANY (${aliases}::text[])`,
        )
        .map((row) => [row.alias.slice('name:'.length), row.project_id]),
    );
  const known = await find();
  if (known.size === aliases.length) return known;
  // Captures take the same lock before they make one.
  await lockProjects(transaction, tenantId);
  const current = await find();
  const missing = aliases.map((alias) => alias.slice('name:'.length)).filter((name) => !current.has(name));
  const made = missing.map((name) => ({ name, id: newId() }));
  await transaction.project.createMany({ data: made.map(({ name, id }) => ({ id, tenantId, displayName: name })) });
  await transaction.projectAlias.createMany({
    data: made.map(({ name, id }) => ({ tenantId, alias: `name:${name}`, projectId: id })),
    skipDuplicates: true,
  });
  return find();
}

/** Creates missing sessions as ended and settled, since their summaries are imported too. Returns their number. */
export async function makeSessions(
  transaction: TenantTransaction,
  { tenantId, userId }: { readonly tenantId: TenantId; readonly userId: UserId },
  wanted: readonly RequestedSession[],
): Promise<number> {
  if (wanted.length === 0) return 0;
  const projects = await projectsByName(
    transaction,
    tenantId,
    wanted.flatMap(({ ref }) => (ref.project === null ? [] : [ref.project])),
  );
  const rows = wanted.map(({ ref, title, metadata, startedAtMs, lastAtMs }) => ({
    // By their own time: a list of sessions shows those of last year where they belong.
    id: v7({ msecs: startedAtMs }),
    project_id: ref.project === null ? null : (projects.get(ref.project) ?? null),
    host: ref.host,
    external_id: ref.externalId,
    title,
    metadata: { ...metadata, ...(title === null ? {} : { title_given: true }) },
    started_at: new Date(startedAtMs).toISOString(),
    last_event_at: new Date(Math.max(startedAtMs, lastAtMs)).toISOString(),
  }));
  return transaction.$executeRaw`
    INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, title, status, phase, metadata, started_at, last_event_at, ended_at)
    SELECT v.id, ${tenantId}::uuid, ${userId}::uuid, v.project_id, v.host, v.external_id, v.title, 'ended', 'settled', v.metadata, v.started_at, v.last_event_at, v.last_event_at
      FROM json_to_recordset(${JSON.stringify(rows)}::json)
        AS v(id uuid, project_id uuid, host text, external_id text, title text, metadata jsonb, started_at timestamptz, last_event_at timestamptz)
     ORDER BY v.host, v.external_id
    ON CONFLICT (tenant_id, host, external_id, user_id) DO NOTHING`;
}

/** Moves the end of sessions that an import made and nothing else touched to their last row. */
export async function extendSessions(
  transaction: TenantTransaction,
  lasts: ReadonlyMap<string, number>,
): Promise<void> {
  const rows = [...lasts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, at]) => ({ id, at: new Date(at).toISOString() }));
  if (rows.length === 0) return;
  await transaction.$executeRaw`
    UPDATE sessions s SET last_event_at = v.at, ended_at = v.at
      FROM json_to_recordset(${JSON.stringify(rows)}::json) AS v(id uuid, at timestamptz)
     WHERE s.id = v.id AND s.status = 'ended' AND s.metadata ? 'claude_mem' AND s.workflow_id IS NULL AND s.last_event_at < v.at`;
}
