import { normaliseRemote } from '../../../domain/capture/project-identity.ts';
import { indexable } from '../../../domain/capture/well-formed.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { idsOf } from '../connection/rows.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Text for Prisma's startsWith, endsWith and contains, which become LIKE with nothing escaped: an underscore in a path is no wildcard. */
export function literal(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}

export interface ProjectName {
  readonly id: string;
  readonly displayName: string;
  /** Ids of projects that were merged into this one: their vectors still bear them. */
  readonly formerIds: readonly string[];
}

/** Begins the alias that a merged project leaves behind. */
export const FORMER_ID = 'id:';

const NAME = {
  id: true,
  displayName: true,
  aliases: { where: { alias: { startsWith: FORMER_ID } }, select: { alias: true } },
} as const;

function nameOf(
  found: {
    readonly id: string;
    readonly displayName: string;
    readonly aliases: readonly { readonly alias: string }[];
  } | null,
): ProjectName | null {
  if (found === null) return null;
  const formerIds = found.aliases.map((row) => row.alias.slice(FORMER_ID.length));
  return { id: found.id, displayName: found.displayName, formerIds };
}

/**
 * The project that a person means: by id, git remote, root path or name. Of several with one root path one that has sessions, of several with one name
 * the newest; null when there is none.
 */
export async function findProject(transaction: TenantTransaction, given: string): Promise<ProjectName | null> {
  const select = NAME;
  if (UUID.test(given)) {
    const known = await transaction.project.findUnique({ where: { id: given }, select });
    if (known !== null) return nameOf(known);
    const former = await transaction.projectAlias.findFirst({
      where: { alias: `${FORMER_ID}${given.toLowerCase()}` },
      select: { project: { select } },
    });
    return nameOf(former?.project ?? null);
  }
  const remote = normaliseRemote(given);
  const aliases = [...(remote === null ? [] : [`remote:${remote}`]), `remote:${given}`, `name:${given}`].map(indexable);
  const alias = await transaction.projectAlias.findFirst({
    where: { alias: { in: aliases } },
    select: { project: { select } },
  });
  if (alias !== null) return nameOf(alias.project);
  // A path without its machine is what a person named: where nothing was captured for it, it steps back behind one that was.
  const named = indexable(`path::${given}`);
  const [path] = idsOf(
    await transaction.$queryRaw`
      SELECT a.project_id AS id FROM project_aliases a WHERE a.alias = ${named} OR a.alias LIKE ${`path:%:${literal(given)}`}
       ORDER BY EXISTS (SELECT FROM sessions s WHERE s.project_id = a.project_id) DESC, a.alias = ${named} DESC, a.alias LIMIT 1`,
  );
  return nameOf(
    path === undefined
      ? await transaction.project.findFirst({ where: { displayName: given }, orderBy: { id: 'desc' }, select })
      : await transaction.project.findUnique({ where: { id: path }, select }),
  );
}

/** The project that a session was captured for; null without a session, or where it has none. */
export async function projectOfSession(
  transaction: TenantTransaction,
  sessionId: string | null,
): Promise<ProjectName | null> {
  if (sessionId === null) return null;
  const session = await transaction.session.findUnique({
    where: { id: sessionId },
    select: { project: { select: NAME } },
  });
  return nameOf(session?.project ?? null);
}
/** Returns true if a project has a current learning, or a session other than `exceptSessionId`. */
export async function hasMemories(
  transaction: TenantTransaction,
  projectId: string,
  exceptSessionId: string | null,
): Promise<boolean> {
  const rows = await transaction.$queryRaw<unknown[]>`
    SELECT 1 WHERE EXISTS (SELECT FROM sessions WHERE project_id = ${projectId}::uuid AND id IS DISTINCT FROM ${exceptSessionId}::uuid)
                OR EXISTS (SELECT FROM learnings WHERE project_id = ${projectId}::uuid AND valid_to IS NULL)`;
  return rows.length > 0;
}
