import { CONTEXT_TAG } from '../domain/context-tag.ts';
import type { TenantId } from '../domain/ids.ts';
import { pack } from '../domain/packing.ts';
import type { Clock } from '../domain/ports/clock.ts';
import type { TokenCounter } from '../domain/ports/token-counter.ts';
import { readContextSources } from '../stores/postgres/context-sources.ts';
import type { Database } from '../stores/postgres/database.ts';
import { recordContext } from '../stores/postgres/memory-uses.ts';
import { findProject, projectOfSession } from '../stores/postgres/projects.ts';
import type { ProjectName } from '../stores/postgres/projects.ts';
import { findSessionId } from '../stores/postgres/sessions.ts';
import { entriesOfProject, entriesOfSearch, SECTIONS } from './context-candidates.ts';
import type { ContextEntry } from './context-candidates.ts';
import type { SearchRequest, SearchResult } from './search.ts';

export interface ContextRequest {
  readonly tenantId: TenantId;
  /** Who is given the block. */
  readonly userId: string;
  readonly viewerId: string | undefined;
  readonly purpose: 'session_start' | 'prompt' | 'file';
  /** Id, git remote, root path or name; null: the project of the session that asks. */
  readonly project: string | null;
  readonly namespace: string;
  /** The session that asks: own id, or `host:external id`. */
  readonly sessionId: string | null;
  readonly prompt: string | null;
  readonly file: string | null;
  readonly budgetTokens: number;
}

export interface ContextBlock {
  /** By which feedback names what was served; null where nothing was. It stands beside the text, so that the same memory gives the same bytes. */
  readonly id: string | null;
  /** Empty when nothing was worth it. */
  readonly text: string;
  /** o200k tokens of `text`, never more than the budget. */
  readonly tokens: number;
  readonly items: readonly (ContextEntry & { readonly tokens: number })[];
  /** Entries that did not fit. */
  readonly omitted: number;
}

export interface ContextDependencies {
  readonly database: Database;
  readonly search: (request: SearchRequest) => Promise<SearchResult>;
  readonly tokens: TokenCounter;
  readonly clock: Clock;
}

/** What a search finds is told only from this cosine similarity on: an empty block beats a wrong one. */
const LEAST_SIMILARITY = 0.68;
const SEARCH_LIMIT = 20;
const EMPTY: ContextBlock = { id: null, text: '', tokens: 0, items: [], omitted: 0 };

function render(projectName: string, chosen: readonly ContextEntry[]): string {
  const sections = SECTIONS.flatMap((heading, section) => {
    const lines = chosen.filter((entry) => entry.section === section).map((entry) => entry.text);
    return lines.length === 0 ? [] : [`## ${heading}`, ...lines];
  });
  return [
    `<${CONTEXT_TAG}>`,
    `# Memory of ${projectName}, from Recollect. [xxxxxxxx] names an item for recall.`,
    ...sections,
    `</${CONTEXT_TAG}>`,
  ].join('\n');
}

/** Packs what is worth knowing for a purpose under a budget, and records what was served. Same inputs and same memory give the same bytes. */
export function createContext(dependencies: ContextDependencies): (request: ContextRequest) => Promise<ContextBlock> {
  const { database, search, tokens, clock } = dependencies;

  const searched = async (request: ContextRequest, project: ProjectName | null): Promise<ContextEntry[]> => {
    const question = request.purpose === 'file' ? request.file : request.prompt;
    if (question === null || question.trim() === '') return [];
    const { found } = await search({
      tenantId: request.tenantId,
      question: question.slice(0, 500).toWellFormed(),
      filter: {
        namespace: request.namespace,
        ...(project === null ? {} : { projectId: project.id, formerProjectIds: project.formerIds }),
        ...(request.viewerId === undefined ? {} : { viewerId: request.viewerId }),
      },
      limit: SEARCH_LIMIT,
      offset: 0,
      minScore: 0,
      groupBySession: false,
    });
    return entriesOfSearch(
      found.filter((entry) => (entry.lanes.vector?.score ?? 0) >= LEAST_SIMILARITY),
      new Date(clock.now()),
    );
  };

  return async (request) => {
    const { project, sources, sessionId } = await database.asTenant(request.tenantId, async (transaction) => {
      const excludeSessionId = request.sessionId === null ? null : await findSessionId(transaction, request.sessionId);
      const project =
        request.project === null
          ? await projectOfSession(transaction, excludeSessionId)
          : await findProject(transaction, request.project);
      if (project === null || request.purpose !== 'session_start')
        return { project, sources: null, sessionId: excludeSessionId };
      return {
        project,
        sessionId: excludeSessionId,
        sources: await readContextSources(transaction, {
          projectId: project.id,
          namespace: request.namespace,
          excludeSessionId,
        }),
      };
    });
    if (project === null && request.project !== null) return EMPTY;
    const entries = [
      ...(sources === null ? [] : entriesOfProject(sources, new Date(clock.now()))),
      ...(await searched(request, project)),
    ];
    if (entries.length === 0) return EMPTY;
    const name = project?.displayName ?? 'this tenant';
    // The frame with every heading is counted first, so that what is chosen always fits beside it.
    const frame = tokens.count(
      render(
        name,
        SECTIONS.map((_, section) => ({ id: '', type: 'summary', section, text: '', value: 0, reason: '' })),
      ),
    );
    const candidates = entries.map((entry) => ({ ...entry, tokens: tokens.count(`${entry.text}\n`) }));
    const { chosen, omitted } = pack(candidates, request.budgetTokens - frame);
    if (chosen.length === 0) return { ...EMPTY, omitted: omitted.length };
    const text = render(name, chosen);
    const block = { text, tokens: tokens.count(text), items: chosen, omitted: omitted.length };
    const id = await database.asTenant(request.tenantId, (transaction) =>
      recordContext(transaction, {
        tenantId: request.tenantId,
        userId: request.userId,
        sessionId,
        projectId: project?.id ?? null,
        purpose: request.purpose,
        tokens: block.tokens,
        items: chosen,
      }),
    );
    return { id, ...block };
  };
}
