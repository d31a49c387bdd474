import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import { findProject, literal } from './projects.ts';

/** Aliases that one answer names: a project has a few, one of an ephemeral runner has one for each of its folders. */
const MAX_ALIASES = 200;

const projectRow = rowOf({
  id: z.string(),
  display_name: z.string(),
  git_remote: z.string().nullable(),
  aliases: z.array(z.string()),
  sessions: z.number(),
  learnings: z.number(),
  last_event_at: z.date().nullable(),
  created_at: z.date(),
});

/** A project as people see it. */
export type StoredProject = z.output<typeof projectRow>;

/** Projects by id, in the order of the ids. */
async function readProjects(transaction: TenantTransaction, ids: readonly string[]): Promise<StoredProject[]> {
  const rows = await transaction.$queryRaw`
    SELECT p.id, p.display_name, p.git_remote, p.created_at,
           ARRAY(SELECT alias FROM project_aliases a WHERE a.project_id = p.id ORDER BY a.created_at, a.alias LIMIT ${MAX_ALIASES}) AS aliases,
           (SELECT count(*) FROM sessions s WHERE s.project_id = p.id AND s.status <> 'deleted')::integer AS sessions,
           (SELECT count(*) FROM learnings l WHERE l.project_id = p.id AND l.valid_to IS NULL)::integer AS learnings,
           (SELECT s.last_event_at FROM sessions s WHERE s.project_id = p.id AND s.status <> 'deleted' ORDER BY s.id DESC LIMIT 1) AS last_event_at
      FROM unnest(${ids}::uuid[]) WITH ORDINALITY AS wanted(id, place) JOIN projects p ON p.id = wanted.id ORDER BY wanted.place`;
  return z.array(projectRow).parse(rows);
}

/** Returns a page of projects, newest first, and their number. `search` matches names and remotes. */
export async function listProjects(
  transaction: TenantTransaction,
  search: string | undefined,
  page: number,
  limit: number,
): Promise<{ rows: StoredProject[]; total: number }> {
  const words = search === undefined ? undefined : { contains: literal(search), mode: 'insensitive' as const };
  const where = words === undefined ? {} : { OR: [{ displayName: words }, { gitRemote: words }] };
  const found = await transaction.project.findMany({
    where,
    orderBy: { id: 'desc' },
    skip: (page - 1) * limit,
    take: limit,
    select: { id: true },
  });
  const rows = await readProjects(
    transaction,
    found.map((project) => project.id),
  );
  return { rows, total: await transaction.project.count({ where }) };
}

/** One project by id, git remote, root path or name; null when there is none. */
export async function readProject(transaction: TenantTransaction, given: string): Promise<StoredProject | null> {
  const known = await findProject(transaction, given);
  return known === null ? null : ((await readProjects(transaction, [known.id]))[0] ?? null);
}

/** Returns true if a project belongs to one user only: some of its sessions are that user's, and no session or learning of it is another's. */
export async function isProjectOf(transaction: TenantTransaction, projectId: string, userId: string): Promise<boolean> {
  const rows = await transaction.$queryRaw`
    SELECT EXISTS (SELECT FROM sessions s WHERE s.project_id = ${projectId}::uuid AND s.user_id = ${userId}::uuid)
       AND NOT EXISTS (SELECT FROM sessions s WHERE s.project_id = ${projectId}::uuid AND s.user_id <> ${userId}::uuid)
       AND NOT EXISTS (SELECT FROM learnings l WHERE l.project_id = ${projectId}::uuid AND l.user_id <> ${userId}::uuid) AS own`;
  return z.array(z.object({ own: z.boolean() })).parse(rows)[0]?.own ?? false;
}
