import type { ContextQuestion } from '../../domain/capture/context-question.ts';
import type { ContextSettings } from '../../config/context-settings.ts';
import { Redactor } from '../../domain/redaction/redact.ts';
import type { Principal } from '../../stores/postgres/access/api-keys.ts';
import { createContext } from '../../retrieval/context.ts';
import type { ContextDependencies } from '../../retrieval/context.ts';
import type { ContextBlock, ContextRequest } from '../../retrieval/context-request.ts';
import { createSearch } from '../../retrieval/search.ts';
import type { SearchDependencies, SearchRequest, SearchResult } from '../../retrieval/search.ts';
import { viewerOf } from '../auth.ts';
import { createPlaces, MOST_HOOK_CONTEXTS } from './context-places.ts';
import { inTime } from '../http/in-time.ts';

/** The way out: search, and context for an agent. */
export interface Recall {
  search(request: SearchRequest): Promise<SearchResult>;
  context(request: ContextRequest): Promise<ContextBlock>;
  /** Returns the context for a hook; '' if no memory is relevant, or after the timeout. */
  contextForHook(principal: Principal, session: HookSession, question: ContextQuestion): Promise<string>;
}

/** The session that a hook speaks of. */
export interface HookSession {
  readonly host: string;
  readonly externalId: string;
  readonly namespace: string;
}

/** A session starts once, and may wait longer: its host gives it two seconds. */
const START_TIMEOUT_MS = 1_500;
/** Longer prompts are truncated to this: redaction of the worst text of this size takes 30 ms. */
const PROMPT_CHARS = 32_000;

export function createRecall(
  dependencies: SearchDependencies &
    Omit<ContextDependencies, 'search'> & {
      readonly hooks: ContextSettings;
      /** Whether there is a burst of captures, which have priority: prompts and files get no context meanwhile. */
      readonly isBurst: () => boolean;
    },
): Recall {
  const search = createSearch(dependencies);
  const context = createContext({ ...dependencies, search });
  const { tokens, timeoutMs } = dependencies.hooks;
  const inPlace = createPlaces({ most: MOST_HOOK_CONTEXTS, isBusy: dependencies.isBurst });
  return {
    search,
    context,
    async contextForHook(principal, session, question) {
      const { purpose } = question;
      const budgetTokens = tokens[purpose];
      if (budgetTokens === 0) return '';
      const pack = async (signal: AbortSignal): Promise<string> => {
        const block = await context({
          tenantId: principal.tenantId,
          userId: principal.userId,
          viewerId: viewerOf(principal),
          purpose,
          // The capture has just determined the project; a path alone could be of another machine.
          project: null,
          namespace: session.namespace,
          sessionId: `${session.host}:${session.externalId}`,
          // As capture stores it: what is private, or was recalled, is not searched for.
          prompt: purpose === 'prompt' ? new Redactor().text(question.prompt.slice(0, PROMPT_CHARS)) : null,
          file: purpose === 'file' ? question.file : null,
          budgetTokens,
          byHook: true,
          signal,
        });
        return block.text;
      };
      return purpose === 'session_start'
        ? inTime(START_TIMEOUT_MS, '', pack)
        : inTime(timeoutMs, '', (signal) => inPlace('', () => pack(signal)));
    },
  };
}
