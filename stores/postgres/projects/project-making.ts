import { indexable } from '../../../domain/capture/well-formed.ts';
import { projectIdentity } from '../../../domain/capture/project-identity.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { lockProjects } from './project-changes.ts';
import { findProject } from './projects.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const ROOT_PATH = /^(?:[/~]|[A-Za-z]:[\\/])/;

/**
 * Returns the project that a user names, and creates it if nothing was captured for it yet, with the alias that a capture would give it;
 * null for an unknown id.
 */
export async function findOrMakeProject(
  transaction: TenantTransaction,
  tenantId: TenantId,
  given: string,
): Promise<string | null> {
  const known = await findProject(transaction, given);
  if (known !== null) return known.id;
  const hint = ROOT_PATH.test(given) ? { path: given } : { remote: given };
  const identity = UUID.test(given) ? null : (projectIdentity(hint) ?? projectIdentity({ name: given }));
  if (identity === null) return null;
  // Captures take the same lock before they create a project: the second one finds it.
  await lockProjects(transaction, tenantId);
  const made = await findProject(transaction, given);
  if (made !== null) return made.id;
  const id = newId();
  await transaction.project.create({
    data: { id, tenantId, displayName: indexable(identity.name), gitRemote: identity.remote },
  });
  await transaction.projectAlias.createMany({
    data: identity.aliases.map((alias) => ({ tenantId, alias: indexable(alias), projectId: id })),
    skipDuplicates: true,
  });
  return id;
}
