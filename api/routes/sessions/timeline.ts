import { projectOf } from '../../subjects.ts';
import { compactMemory } from '../../../domain/compact.ts';
import type { Memory } from '../../../domain/memory.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { MemoryType } from '../../../domain/ports/vector-index.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import type { TenantRead } from '../../../stores/postgres/connection/database.ts';
import { readMemories } from '../../../stores/postgres/memories/memories.ts';
import type { MemoryRef } from '../../../stores/postgres/memories/memories.ts';
import type { ProjectName } from '../../../stores/postgres/projects/projects.ts';
import { placeOf, readLine } from '../../../stores/postgres/sessions/timeline.ts';
import type { Line } from '../../../stores/postgres/sessions/timeline.ts';
import { principalOf, viewerOf, route, viewOf } from '../../auth.ts';
import { withinBounds } from '../../bounds.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { findMemory, presentMemory } from '../../memories/memory-lookup.ts';
import { timelineAnswer, timelineQuery } from '../../../contract/search.ts';

interface Around {
  readonly data: readonly Memory[];
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
}

/** Returns the timeline of a memory: of the requested project, else of its session, else of its project, else of its namespace. */
function lineOf(anchor: Memory, project: ProjectName | undefined, namespace = anchor.namespace): Line {
  if (project !== undefined) return { kind: 'project', id: project.id, namespace };
  if (anchor.session !== null) return { kind: 'session', id: anchor.session.id };
  if (anchor.projectId !== null) return { kind: 'project', id: anchor.projectId, namespace };
  return { kind: 'namespace', namespace };
}

/** The memories around an anchor in reading order, with it. */
async function readAround(
  read: TenantRead,
  anchor: Memory,
  line: Line,
  sides: { readonly before: number; readonly after: number; readonly types: readonly MemoryType[] },
  viewerId: string | undefined,
): Promise<Around> {
  const place = await placeOf(read, anchor.id);
  if (place === null) return { data: [anchor], hasBefore: false, hasAfter: false };
  const query = { line, place, types: sides.types, viewerId };
  // Read one more than is returned, to detect further ones.
  const before = await readLine(read, query, 'before', sides.before + 1);
  const after = await readLine(read, query, 'after', sides.after + 1);
  const earlier = before.slice(0, sides.before).toReversed();
  const later = after.slice(0, sides.after);
  const memories = new Map(
    (await readMemories(read, [...earlier, ...later], viewerId)).map((memory) => [memory.id, memory]),
  );
  const inOrder = (refs: readonly MemoryRef[]) => refs.flatMap(({ id }) => memories.get(id) ?? []);
  return {
    data: [...inOrder(earlier), anchor, ...inOrder(later)],
    hasBefore: before.length > sides.before,
    hasAfter: after.length > sides.after,
  };
}

/** `GET /timeline`: what came before and after a memory, in its session or in a project. */
export function timelineRoutes(app: Api, { database, recall, tokens, clock }: ApiDependencies): void {
  /** The best hit of a question; null where there is none. */
  const bestHit = async (
    principal: Principal,
    query: string,
    project: ProjectName | undefined,
    namespace: string | undefined,
  ) => {
    const viewerId = viewerOf(principal);
    const { found, degraded } = await recall.search({
      tenantId: principal.tenantId,
      bounds: principal.bounds,
      query,
      filter: {
        ...(project && { projectId: project.id, formerProjectIds: project.formerIds }),
        ...(namespace !== undefined && { namespace }),
        ...(viewerId !== undefined && { viewerId }),
      },
      limit: 1,
      offset: 0,
      minScore: 0,
      groupBySession: false,
      now: new Date(clock.now()),
    });
    return { anchor: found[0]?.memory ?? null, degraded: [...degraded] };
  };

  const compacted = (memory: Memory) => {
    const compact = compactMemory(memory, null, (text) => tokens.count(text));
    return { ...compact, tags: [...compact.tags] };
  };

  app.get(
    '/timeline',
    route('read', {
      tags: ['retrieval'],
      summary: 'List the memories before and after a memory',
      description:
        'Requires either `anchor` or `q`. Returns the timeline of the anchor’s session; without a session, of its project; without either, the memories of its namespace without a project. With `project`, returns the timeline of that project in one namespace.',
      querystring: timelineQuery,
      response: { 200: timelineAnswer },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { anchor: name, q, before, after, types = MEMORY_TYPES, format } = request.query;
      const { project: given, namespace } = q === undefined ? request.query : withinBounds(principal, request.query);
      const project = await projectOf(database, principal, given);
      const { anchor, degraded } =
        name !== undefined
          ? { anchor: await findMemory(database, principal, name, 'anchor'), degraded: [] }
          : project === null || q === undefined
            ? { anchor: null, degraded: [] }
            : await bestHit(principal, q, project, namespace);
      const extra = degraded.length > 0 ? { degraded } : {};
      if (anchor === null) return { anchor: null, data: [], has_before: false, has_after: false, ...extra };
      // An unknown project has no timeline.
      const { data, hasBefore, hasAfter } =
        project === null
          ? { data: [anchor], hasBefore: false, hasAfter: false }
          : await database.readAsTenant(viewOf(principal), (read) =>
              readAround(
                read,
                anchor,
                lineOf(anchor, project, namespace),
                { before, after, types },
                viewerOf(principal),
              ),
            );
      const present = (memory: Memory) => (format === 'full' ? presentMemory(memory) : compacted(memory));
      return {
        anchor: present(anchor),
        data: data.map(present),
        has_before: hasBefore,
        has_after: hasAfter,
        ...extra,
      };
    },
  );
}
