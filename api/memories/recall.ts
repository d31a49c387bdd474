import type { ContextQuestion } from '../../domain/capture/context-question.ts';
import type { Tracer } from '../../domain/ports/tracer.ts';
import type { ContextSettings } from '../../config/context-settings.ts';
import { Redactor } from '../../domain/redaction/redact.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import { createContext } from '../../retrieval/context.ts';
import type { ContextDependencies } from '../../retrieval/context.ts';
import { createSearch } from '../../retrieval/search.ts';
import type { SearchDependencies, SearchRequest } from '../../retrieval/search.ts';
import { viewerOf } from '../auth.ts';

/** Returns the result of `work`, or `late` after the timeout: its signal is then aborted and its result ignored. A failure in time is thrown. */
export async function inTime<Result>(
  timeoutMs: number,
  late: Result,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), timeoutMs);
  const over = Promise.withResolvers<Result>();
  ended.signal.addEventListener('abort', () => over.resolve(late), { once: true });
  try {
    const answer = work(ended.signal);
    // Ignore a failure after the timeout.
    answer.catch(() => undefined);
    return await Promise.race([answer, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Blocks for prompts and files that are packed at once for hooks: what a machine's agents ask in a moment. */
const MOST_HOOK_CONTEXTS = 4;

interface PlacesOptions {
  /** Maximum concurrent runs; further requests are not queued. */
  readonly most: number;
  /** Whether something else goes first now. */
  readonly isBusy: () => boolean;
}

/** Runs work where there is a place for it at once, and answers `otherwise` where there is none. A place is free again when its work has ended. */
export function createPlaces({
  most,
  isBusy,
}: PlacesOptions): <Result>(otherwise: Result, work: () => Promise<Result>) => Promise<Result> {
  let taken = 0;
  return async (otherwise, work) => {
    if (taken >= most || isBusy()) return otherwise;
    taken += 1;
    try {
      return await work();
    } finally {
      taken -= 1;
    }
  };
}

/** The session that a hook speaks of. */
interface HookSession {
  readonly host: string;
  readonly externalId: string;
  readonly namespace: string;
}

/** A session starts once, and may wait longer: its host gives it two seconds. */
const START_TIMEOUT_MS = 1_500;
/** Longer prompts are truncated to this: redaction of the worst text of this size takes 30 ms. */
const PROMPT_CHARS = 32_000;

/** Search, and context for an agent. */
export function createRecall(
  dependencies: SearchDependencies &
    Omit<ContextDependencies, 'search'> & {
      readonly hooks: ContextSettings;
      /** Whether there is a burst of captures, which have priority: prompts and files get no context meanwhile. */
      readonly isBurst: () => boolean;
      readonly tracer: Tracer;
    },
) {
  const run = createSearch(dependencies);
  const search = (request: SearchRequest) =>
    dependencies.tracer.step('search', async (span) => {
      const result = await run(request);
      span.note({
        'recollect.results': result.found.length,
        'recollect.degraded': result.degraded.join(',') || undefined,
      });
      return result;
    });
  const context = createContext({ ...dependencies, search });
  const { tokens, timeoutMs } = dependencies.hooks;
  const inPlace = createPlaces({ most: MOST_HOOK_CONTEXTS, isBusy: dependencies.isBurst });
  return {
    search,
    context,
    /** Returns the context for a hook; '' if no memory is relevant, or after the timeout. */
    async contextForHook(principal: Principal, session: HookSession, question: ContextQuestion): Promise<string> {
      const { purpose } = question;
      const budgetTokens = tokens[purpose];
      if (budgetTokens === 0) return '';
      const pack = async (signal: AbortSignal): Promise<string> => {
        const block = await context({
          tenantId: principal.tenantId,
          userId: principal.userId,
          viewerId: viewerOf(principal),
          bounds: principal.bounds,
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
