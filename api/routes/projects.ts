import { z } from 'zod';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import type { TenantTransaction, TenantView } from '../../stores/postgres/connection/database.ts';
import { changeProject, mergeProjects } from '../../stores/postgres/projects/project-changes.ts';
import { isProjectOf, listProjects, readProject } from '../../stores/postgres/projects/project-list.ts';
import type { StoredProject } from '../../stores/postgres/projects/project-list.ts';
import { isAdmin, principalOf, route, viewOf } from '../auth.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';
import { present } from '../http/present.ts';
import { ApiError, existing, invalid } from '../errors.ts';
import { mergeAnswer, projectChange, projectName, projectParams, projectSchema } from '../../contract/projects.ts';
import { paginationOf } from '../http/paging.ts';
import { pageOfItems, pageQuery } from '../../contract/shared.ts';
import { indexable, wellFormed } from '../../domain/capture/well-formed.ts';
import { normaliseRemote } from '../../domain/capture/project-identity.ts';
import { text } from '../../contract/text.ts';

async function knownProject(transaction: TenantTransaction, given: string, field?: string): Promise<StoredProject> {
  return existing(await readProject(transaction, given), 'project', field);
}

/** Admins may change a project, and the user who owns all of its sessions and learnings. @throws ApiError FORBIDDEN */
async function requireProject(transaction: TenantTransaction, principal: Principal, id: string): Promise<void> {
  if (!isAdmin(principal) && !(await isProjectOf(transaction, id, principal.userId)))
    throw new ApiError('FORBIDDEN', 'only an admin may change a project of several users');
}

/** Whether a project is one user's, and what a merge moves, is decided by the private learnings of every user, too. */
function viewOfAll(principal: Principal): TenantView {
  return { ...viewOf(principal), viewerId: undefined };
}

/** Aliases as capture gives them. @throws ApiError VALIDATION_FAILED that names the first that is none */
function aliasesOf(given: readonly string[], field: string): string[] {
  return given.map((text, index) => {
    const alias = aliasOf(text);
    if (alias !== null) return alias;
    throw invalid(
      `${field}.${index}`,
      'must be a git remote, an absolute path, or begin with remote:, path:, repository: or name:',
    );
  });
}

const PREFIXED_ALIAS = /^(?:path:[^:]*:|repository:|name:).+$/s;

/** An alias in the form that capture gives it. Null for what is none. */
export function aliasOf(given: string): string | null {
  const text = given.startsWith('remote:') ? given.slice('remote:'.length) : given;
  if (PREFIXED_ALIAS.test(given)) return indexable(wellFormed(given));
  const remote = normaliseRemote(text);
  if (remote !== null) return indexable(`remote:${remote}`);
  // A remote as capture has made it, as a list of aliases shows it.
  if (given.startsWith('remote:') && /^[A-Za-z0-9._-]+(?::\d+)?\/\S+$/.test(text)) return indexable(`remote:${text}`);
  const root = given.replace(/(?<=[^/\\])[/\\]+$/, '');
  return /^(?:\/|[A-Za-z]:[/\\])/.test(root) ? indexable(wellFormed(`path::${root}`)) : null;
}

export function presentProject(project: StoredProject): z.output<typeof projectSchema> {
  return present(projectSchema, project);
}

/** `GET, PUT /projects` and merging. */
export function projectRoutes(app: Api, { database, workflowHints }: ApiDependencies): void {
  app.get(
    '/projects',
    route('read', {
      tags: ['projects'],
      summary: 'List projects, newest first',
      querystring: z.strictObject({
        ...pageQuery,
        search: text(200).optional().describe('Text to find in the name or the remote'),
      }),
      response: { 200: pageOfItems(projectSchema) },
    }),
    async (request) => {
      const { page, limit, search } = request.query;
      const { rows, total } = await database.asTenant(viewOf(principalOf(request)), (transaction) =>
        listProjects(transaction, search, page, limit),
      );
      return { data: rows.map(presentProject), pagination: paginationOf(page, limit, total) };
    },
  );

  app.get(
    '/projects/:id',
    route('read', {
      tags: ['projects'],
      summary: 'Get a project and its aliases',
      params: projectParams,
      response: { 200: projectSchema },
    }),
    async (request) =>
      presentProject(
        await database.asTenant(viewOf(principalOf(request)), (transaction) =>
          knownProject(transaction, request.params.id),
        ),
      ),
  );

  app.put(
    '/projects/:id',
    route('write', {
      tags: ['projects'],
      summary: 'Change the name or the aliases of a project',
      description: 'For admins, and for a user who owns all sessions and learnings of the project.',
      params: projectParams,
      body: projectChange,
      response: { 200: projectSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { tenantId } = principal;
      const { display_name: displayName, aliases_add: add, aliases_remove: remove } = request.body;
      const change = {
        displayName,
        add: aliasesOf(add, 'aliases_add'),
        remove: aliasesOf(remove, 'aliases_remove'),
      };
      return database.asTenant(viewOfAll(principal), async (transaction) => {
        const { id } = await knownProject(transaction, request.params.id);
        await requireProject(transaction, principal, id);
        const taken = await changeProject(transaction, tenantId, id, change);
        if (taken.length > 0) {
          const message = 'names another project; merge the two instead';
          throw new ApiError(
            'CONFLICT',
            `an alias ${message}`,
            taken.map((alias) => ({ field: `aliases_add.${change.add.indexOf(alias)}`, message })),
          );
        }
        return presentProject(await knownProject(transaction, id));
      });
    },
  );

  app.post(
    '/projects/:id/merge',
    route('write', {
      tags: ['projects'],
      summary: 'Merge a project into another',
      description:
        'For admins, and for a user who owns all sessions and learnings of both projects. Moves the sessions, summaries, learnings and aliases of this project into the other one, which retains its name. The id of this project then refers to the other one.',
      params: projectParams,
      body: z.strictObject({ into: projectName }),
      response: { 200: mergeAnswer },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { tenantId } = principal;
      const answer = await database.asTenant(viewOfAll(principal), async (transaction) => {
        const from = await knownProject(transaction, request.params.id);
        const into = await knownProject(transaction, request.body.into, 'into');
        if (from.id === into.id) {
          const message = 'is the same project';
          throw new ApiError('CONFLICT', `into ${message}`, [{ field: 'into', message }]);
        }
        for (const { id } of [from, into]) await requireProject(transaction, principal, id);
        const moved = await mergeProjects(transaction, tenantId, from.id, into.id);
        return { project: presentProject(await knownProject(transaction, into.id)), moved };
      });
      // Chunks of learnings that were joined leave the vector index; the sweep repeats what is not heard.
      if (answer.moved.joined > 0) await Promise.allSettled([workflowHints.index(tenantId)]);
      return answer;
    },
  );
}
