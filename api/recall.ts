import type { HostEvent } from '../domain/capture/event.ts';
import type { KeyHolder } from '../stores/postgres/api-keys.ts';
import { createContext } from '../retrieval/context.ts';
import type { ContextBlock, ContextDependencies, ContextRequest } from '../retrieval/context.ts';
import { createSearch } from '../retrieval/search.ts';
import type { SearchDependencies, SearchRequest, SearchResult } from '../retrieval/search.ts';
import { viewerOf } from './auth.ts';

/** Tokens of the block that a session start is given. */
export const DEFAULT_CONTEXT_TOKENS = 900;

/** The way out: search, and context for an agent. */
export interface Recall {
  search(request: SearchRequest): Promise<SearchResult>;
  context(request: ContextRequest): Promise<ContextBlock>;
  /** The block for a session that starts; '' when there is nothing worth telling. */
  contextForHook(holder: KeyHolder, event: HostEvent | null): Promise<string>;
}

export function createRecall(dependencies: SearchDependencies & Omit<ContextDependencies, 'search'>): Recall {
  const search = createSearch(dependencies);
  const context = createContext({ ...dependencies, search });
  return {
    search,
    context,
    async contextForHook(holder, event) {
      if (event === null) return '';
      const block = await context({
        tenantId: holder.tenantId,
        userId: holder.userId,
        viewerId: viewerOf(holder),
        purpose: 'session_start',
        // The capture has just said which project this is; a path alone could be another machine's.
        project: null,
        namespace: event.namespace,
        sessionId: `${event.host}:${event.externalId}`,
        prompt: null,
        file: null,
        budgetTokens: DEFAULT_CONTEXT_TOKENS,
      });
      return block.text;
    },
  };
}
