import type {
  KnownLearning,
  LearningInput,
  ModelPort,
  SessionInput,
  SourceRow,
  WindowInput,
} from '../../domain/ports/model.ts';
import { learningsOf } from './learnings/learnings.ts';
import { LOCAL_MODEL_NAME, preparedCall, requestOf } from './prepared.ts';
import { sessionOf } from './session.ts';
import { topicOf } from './topic.ts';

interface LocalModelOptions {
  /** o200k tokens of a text, for the ledger and for the summary's budget. */
  readonly countTokens: (text: string) => number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/**
 * The model without network and key: it selects sentences and pairs events instead of writing. Deterministic; every claim cites rows that
 * contain its quote; calls are free. Throws only the signal's reason.
 */
export function createLocalModel({ countTokens, now }: LocalModelOptions): ModelPort {
  const clock = { countTokens, now };
  return {
    name: LOCAL_MODEL_NAME,
    provider: 'local',
    batches: null,
    windowRequest: (input) => requestOf(windowRequest(input)),
    sessionRequest: (input) => requestOf(sessionRequest(input)),
    learningsRequest: (input) => requestOf(learningsRequest(input)),
    // Asynchronous, so that an aborted signal rejects instead of throwing.
    prepareWindow: async (input, signal) => {
      signal.throwIfAborted();
      return Promise.resolve(
        preparedCall(
          {
            ...windowRequest(input),
            inputTokens: tokensOf(input.rows),
            answer: async () => Promise.resolve(topicOf(input, { countTokens })),
          },
          clock,
        ),
      );
    },
    prepareSession: async (input, signal) => {
      signal.throwIfAborted();
      return Promise.resolve(
        preparedCall(
          {
            ...sessionRequest(input),
            inputTokens: tokensOf(input.prompts),
            answer: async () => Promise.resolve(sessionOf(input, { countTokens })),
          },
          clock,
        ),
      );
    },
    prepareLearnings: async (input, signal) => {
      signal.throwIfAborted();
      return Promise.resolve(
        preparedCall(
          {
            ...learningsRequest(input),
            inputTokens: tokensOf([...input.prompts, ...input.rows]),
            answer: async () => Promise.resolve(learningsOf(input, { countTokens })),
          },
          clock,
        ),
      );
    },
  };
}

/** Ids and text of a request, as `requestOf` needs them. */
interface Texts {
  readonly ids: readonly string[];
  readonly requestText: string;
}

function windowRequest({ precedingRequest, known, rows }: WindowInput): Texts {
  return {
    ids: idsOf([...rows, ...known]),
    requestText: JSON.stringify([precedingRequest?.content ?? null, knownTexts(known), rowTexts(rows)]),
  };
}

function sessionRequest(input: SessionInput): Texts {
  return {
    ids: idsOf([...input.prompts, ...citedRows(input)]),
    requestText: JSON.stringify(sessionTexts(input)),
  };
}

function learningsRequest(input: LearningInput): Texts {
  return {
    ids: idsOf([...input.prompts, ...input.rows, ...citedRows(input), ...input.known]),
    requestText: JSON.stringify([sessionTexts(input), rowTexts(input.rows), knownTexts(input.known)]),
  };
}

function idsOf(all: readonly { readonly id: string }[]): readonly string[] {
  return [...new Set(all.map(({ id }) => id))];
}

function tokensOf(rows: readonly SourceRow[]): number {
  return rows.reduce((sum, { tokens }) => sum + tokens, 0);
}

function rowTexts(rows: readonly SourceRow[]): readonly unknown[] {
  return rows.map(({ type, tool, title, content, filesModified }) => [type, tool, title, content, filesModified]);
}

function knownTexts(known: readonly KnownLearning[]): readonly unknown[] {
  return known.map(({ category, title, description }) => [category, title, description]);
}

/** Returns the rows that topics and items cite: they are not in the input, but claims about them may be reused. */
function citedRows({ topics, items }: SessionInput): readonly { readonly id: string }[] {
  return [...topics.flatMap(({ keyPoints, actionItems }) => [...keyPoints, ...actionItems]), ...items].flatMap(
    ({ evidence }) => evidence.map(({ rowId }) => ({ id: rowId })),
  );
}

function sessionTexts({ projectName, topics, items, prompts }: SessionInput): readonly unknown[] {
  return [
    projectName,
    topics.map(({ title, content, keyPoints, actionItems }) => [
      title,
      content,
      keyPoints.map(({ text }) => text),
      actionItems.map(({ text }) => text),
    ]),
    items.map(({ kind, title, content, tags, importance }) => [kind, title, content, tags, importance]),
    rowTexts(prompts),
  ];
}
