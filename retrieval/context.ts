import { CLASS_RULES } from '../domain/data-classes.ts';
import type { Memory } from '../domain/memory.ts';
import { pack } from '../domain/packing.ts';
import type { Clock } from '../domain/ports/clock.ts';
import type { TokenCounter } from '../domain/ports/embedder.ts';
import { readContextSources } from '../stores/postgres/memories/context-sources.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { readFileHistory } from '../stores/postgres/graph/file-history.ts';
import { readMemories } from '../stores/postgres/memories/memories.ts';
import { recordContext } from '../stores/postgres/memories/memory-uses.ts';
import { readPreferenceSources } from '../stores/postgres/search/profile.ts';
import type { ProjectName } from '../stores/postgres/projects/projects.ts';
import { dayLines, frameTokens, renderBlock, sectionLines } from './context-block.ts';
import type { IndexLine } from './context-block.ts';
import {
  entriesOfProject,
  MAX_TEXT,
  SECTIONS,
  isSearchable,
  rankedByPrompt,
  answersQuery,
  withRequests,
} from './context-candidates.ts';
import { packMemories } from './context-passages.ts';
import type { RankedMemory } from './context-passages.ts';
import { readSetting } from './context-request.ts';
import type { ContextBlock, ContextItem, ContextRequest, Setting } from './context-request.ts';
import type { SearchRequest, SearchResult, FoundMemory } from './search.ts';

const WRITERS = /^(?:Edit|MultiEdit|Write|NotebookEdit|Delete|apply_patch)$/u;
const READERS = /^(?:Read|NotebookRead|Grep|Glob|LS)$/u;

/** Returns the value of a memory before its file is read, 0–1. A mere read of the file adds nothing to its content. */
function weightOf({ type, kind, tool }: Memory): { readonly weight: number; readonly reason: string } {
  if (type === 'learning') return { weight: 1, reason: `learning (${kind}) that names the file` };
  if (type === 'summary')
    return { weight: kind === 'topic' || kind === 'session' ? 0.6 : 0.9, reason: `${kind} that names the file` };
  if (type === 'prompt')
    return {
      weight: kind === 'user' ? 0.8 : 0.5,
      reason: `mention of the file by the ${kind === 'assistant' ? 'agent' : kind}`,
    };
  if (READERS.test(tool ?? '')) return { weight: 0, reason: 'read of the file' };
  if (kind === 'error') return { weight: 0.9, reason: 'failure that names the file' };
  return WRITERS.test(tool ?? '')
    ? { weight: 0.7, reason: 'change of the file' }
    : { weight: 0.4, reason: 'call that names the file' };
}

/** Returns the name of a file without its folders. */
function baseName(file: string): string {
  return file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
}

/** Returns the search text for a file: its path, its name, and the name without extension. */
export function fileQuery(file: string): string {
  const name = baseName(file);
  return [file, name, name.replace(/(?<=.)\.[^.]*$/u, '')].join(' ');
}

function names({ memory }: FoundMemory, name: string): boolean {
  return `${memory.title}\n${memory.content}`.toLowerCase().includes(name);
}

/** Ranks the memories of a file, newest and most valuable first: from the graph, and search hits that name it. Half of the score is relative age. */
export function rankedByFile(file: string, history: readonly Memory[], found: readonly FoundMemory[]): RankedMemory[] {
  const name = baseName(file).toLowerCase();
  const named = name === '' ? [] : found.filter((each) => names(each, name)).map((each) => each.memory);
  const all = [...new Map([...history, ...named].map((memory) => [memory.id, memory])).values()]
    .toSorted((a, b) => b.occurredAt.localeCompare(a.occurredAt) || a.id.localeCompare(b.id))
    .map((memory) => ({ memory, ...weightOf(memory) }))
    .filter(({ weight }) => weight > 0);
  return all
    .map(({ memory, weight, reason }, place) => ({ memory, score: weight * (1 - place / (2 * all.length)), reason }))
    .sort((a, b) => b.score - a.score || a.memory.id.localeCompare(b.memory.id));
}

export interface ContextDependencies {
  readonly database: Database;
  readonly search: (request: SearchRequest) => Promise<SearchResult>;
  readonly tokens: TokenCounter;
  readonly clock: Clock;
}

/** A block before it is recorded. */
type Draft = Omit<ContextBlock, 'id'>;

const SEARCH_LIMIT = 50;
/** Of a longer prompt both ends are searched: the request is at one of them. */
const QUERY_CHARS = { head: 350, tail: 149 } as const;
/** Reserved: each block has a heading. If it has more than fit, the least valuable memories are omitted. */
const DAY_HEADING_TOKENS = 9;
const NOTHING: Draft = { text: '', tokens: 0, items: [], omitted: 0 };

function queryOf(prompt: string): string {
  const text = prompt.trim();
  const { head, tail } = QUERY_CHARS;
  return text.length <= head + tail + 1
    ? text
    : `${text.slice(0, head).toWellFormed()} ${text.slice(-tail).toWellFormed()}`;
}

/** Packs the most valuable memories for a purpose under a budget, and records what was served. Deterministic. */
export function createContext(dependencies: ContextDependencies): (request: ContextRequest) => Promise<ContextBlock> {
  const { database, search, tokens, clock } = dependencies;
  const count = (text: string): number => tokens.count(text);
  const nameOf = (project: ProjectName | null): string => project?.displayName ?? 'this tenant';

  const find = async (request: ContextRequest, query: string, { project, sessionId }: Setting): Promise<SearchResult> =>
    search({
      tenantId: request.tenantId,
      bounds: request.bounds,
      query,
      filter: {
        namespace: request.namespace,
        ...(project === null ? {} : { projectId: project.id, formerProjectIds: project.formerIds }),
        ...(request.viewerId === undefined ? {} : { viewerId: request.viewerId }),
        // The session's own memories would displace unknown ones.
        ...(sessionId === null ? {} : { excludeSessionId: sessionId }),
      },
      limit: SEARCH_LIMIT,
      offset: 0,
      minScore: 0,
      // A block has its own, stricter rule, and a file is found by its name.
      nearest: true,
      groupBySession: false,
    });

  /** Removes memories that the requesting session created or was served in full at its start. */
  const news = <Found extends { readonly memory: Memory }>(
    found: readonly Found[],
    { sessionId, served }: Setting,
  ): Found[] =>
    found.filter(
      ({ memory: { id, type, content, session } }) =>
        (sessionId === null || session?.id !== sessionId) &&
        !(type === 'learning' && content.length <= MAX_TEXT && served.atStart.has(id)),
    );

  const drafted = (
    lines: readonly string[],
    items: readonly ContextItem[],
    omitted: readonly IndexLine[],
    { request, setting }: { readonly request: ContextRequest; readonly setting: Setting },
  ): Draft => {
    if (items.length === 0) return { ...NOTHING, omitted: omitted.length };
    const text = renderBlock(nameOf(setting.project), lines, omitted, { budgetTokens: request.budgetTokens, count });
    return { text, tokens: count(text), items, omitted: omitted.length };
  };

  const draftMemories = (
    query: string,
    ranked: readonly RankedMemory[],
    request: ContextRequest,
    setting: Setting,
  ): Draft => {
    const name = nameOf(setting.project);
    const { budgetTokens } = request;
    const available = budgetTokens - frameTokens(name, [], count) - DAY_HEADING_TOKENS;
    const allowed = ranked.filter(
      ({ memory: { dataClass } }) => dataClass === null || CLASS_RULES[dataClass].isServedAsContext,
    );
    const packed = packMemories(query, allowed, {
      now: new Date(clock.now()),
      countTokens: count,
      budgetTokens: available,
      known: setting.served.passages,
    });
    const shown = [...packed.served];
    // More days than the reserved heading.
    while (shown.length > 0 && frameTokens(name, dayLines(shown), count) > budgetTokens) shown.pop();
    const omitted = [...packed.served.slice(shown.length), ...packed.omitted].map(({ memory }) => ({
      id: memory.id,
      title: memory.title === '' ? memory.content.slice(0, 200) : memory.title,
    }));
    const items = shown.map(({ memory, reason, line, value, places }) => ({
      id: memory.id,
      type: memory.type,
      reason,
      value,
      tokens: count(`${line}\n`),
      passages: places,
    }));
    return drafted(dayLines(shown), items, omitted, { request, setting });
  };

  const forPrompt = async (request: ContextRequest, setting: Setting): Promise<Draft> => {
    const query = queryOf(request.prompt ?? '');
    if (!isSearchable(query)) return NOTHING;
    const { found } = await find(request, query, setting);
    const fresh = news(found, setting);
    if (!answersQuery(query, fresh)) return NOTHING;
    const ranked = await database.readAsTenant(request, (read) =>
      withRequests(read, rankedByPrompt(fresh), request.viewerId),
    );
    return draftMemories(query, ranked, request, setting);
  };

  const forFile = async (request: ContextRequest, setting: Setting): Promise<Draft> => {
    const file = request.file?.trim() ?? '';
    if (file === '' || (request.byHook === true && setting.served.isRepeated)) return NOTHING;
    const { project } = setting;
    const history =
      project === null
        ? { label: file, refs: [] }
        : await database.asTenant(request, (transaction) =>
            readFileHistory(transaction, { projectId: project.id, namespace: request.namespace, file }),
          );
    const label = history.label ?? file;
    const [memories, { found }] = await Promise.all([
      database.readAsTenant(request, (read) => readMemories(read, history.refs, request.viewerId)),
      find(request, fileQuery(label).slice(0, 500).toWellFormed(), setting),
    ]);
    const known = news(
      memories.map((memory) => ({ memory })),
      setting,
    ).map(({ memory }) => memory);
    return draftMemories(fileQuery(label), rankedByFile(label, known, news(found, setting)), request, setting);
  };

  const forStart = async (request: ContextRequest, setting: Setting): Promise<Draft> => {
    const { project, sessionId } = setting;
    if (project === null) return NOTHING;
    const { sources, preferences } = await database.asTenant(request, async (transaction) => ({
      sources: await readContextSources(transaction, {
        projectId: project.id,
        namespace: request.namespace,
        excludeSessionId: sessionId,
      }),
      preferences: await readPreferenceSources(transaction, { userId: request.userId, projectId: project.id }),
    }));
    const entries = entriesOfProject({ ...sources, preferences }, new Date(clock.now()));
    const name = nameOf(project);
    // The frame with every heading is counted first, so that the chosen entries always fit.
    const frame = frameTokens(
      name,
      SECTIONS.map((heading) => `## ${heading}`),
      count,
    );
    const candidates = entries.map((entry) => ({ ...entry, tokens: count(`${entry.text}\n`) }));
    const { chosen, omitted } = pack(candidates, request.budgetTokens - frame);
    const items = chosen.map((entry) => ({ ...entry, passages: [] }));
    return drafted(sectionLines(SECTIONS, chosen), items, omitted, { request, setting });
  };

  const draft = (request: ContextRequest, setting: Setting): Promise<Draft> => {
    switch (request.purpose) {
      case 'session_start':
        return forStart(request, setting);
      case 'prompt':
        return forPrompt(request, setting);
      case 'file':
        return forFile(request, setting);
    }
  };

  return async (request) => {
    const setting = await database.asTenant(request, (transaction) => readSetting(transaction, request));
    // An unknown project has no memories; the hook of an unknown session must not receive those of other projects.
    if (setting.project === null && (request.project !== null || request.byHook === true))
      return { id: null, ...NOTHING };
    const block = setting.isEmpty ? NOTHING : await draft(request, setting);
    if (block.items.length === 0 || request.signal?.aborted === true)
      return { id: null, ...NOTHING, omitted: block.omitted };
    if (request.isPreview === true) return { id: null, ...block };
    const id = await database.asTenant(request, async (transaction) => {
      const recorded = await recordContext(transaction, {
        tenantId: request.tenantId,
        userId: request.userId,
        sessionId: setting.sessionId,
        projectId: setting.project?.id ?? null,
        purpose: request.purpose,
        subject: setting.subject,
        tokens: block.tokens,
        items: block.items,
      });
      // The client disconnected and received nothing: the record is rolled back, so that it can be served later.
      request.signal?.throwIfAborted();
      return recorded;
    });
    return { id, ...block };
  };
}
