import type {
  LearningDraft,
  LearningInput,
  ModelPort,
  PreparedCall,
  SessionInput,
  SessionSummaryDraft,
  SourceRow,
  TopicSummaryDraft,
  WindowInput,
} from '../../../domain/ports/model.ts';
import { createLocalModel } from '../../../models/local/model.ts';
import { createTokenCounter } from '../../../models/tokens/token-counter.ts';

const { count } = createTokenCounter();

export function localModel(): ModelPort {
  return createLocalModel({ countTokens: count, now: () => 42 });
}

export const live = (): AbortSignal => new AbortController().signal;

/** Returns the output of a call, parsed from its text like a cached response. */
export async function answered<Output>(prepared: Promise<PreparedCall<Output>>): Promise<Output> {
  const call = await prepared;
  const { text } = await call.send(live());
  const reading = call.read(text);
  if (!reading.ok) throw new Error(reading.problem);
  return reading.output;
}

export function windowOf(rows: readonly SourceRow[], more: Partial<WindowInput> = {}): WindowInput {
  return { projectName: 'demo', glossary: [], precedingRequest: null, known: [], rows, ...more };
}

export async function topicOf(
  rows: readonly SourceRow[],
  more: Partial<WindowInput> = {},
  model: ModelPort = localModel(),
): Promise<TopicSummaryDraft> {
  return answered(model.prepareWindow(windowOf(rows, more), live()));
}

/** Topics as stored, for all rows as one window, and their prompts. */
export async function sessionInputOf(rows: readonly SourceRow[]): Promise<SessionInput> {
  const topic = await topicOf(rows);
  return {
    projectName: 'demo',
    glossary: [],
    topics: [{ ...topic, id: 'topic' }],
    items: topic.items.map((item, index) => ({ ...item, id: `item-${String(index)}` })),
    prompts: rows.filter(({ role }) => role === 'prompt'),
  };
}

export async function sessionOf(input: SessionInput): Promise<SessionSummaryDraft> {
  return answered(localModel().prepareSession(input, live()));
}

export async function learningsOf(input: LearningInput): Promise<readonly LearningDraft[]> {
  return answered(localModel().prepareLearnings(input, live()));
}

/** Learnings of rows alone: nothing was summarised or known before. */
export async function learnedFrom(
  rows: readonly SourceRow[],
  more: Partial<LearningInput> = {},
): Promise<readonly LearningDraft[]> {
  const prompts = rows.filter(({ role }) => role === 'prompt');
  return learningsOf({ projectName: null, glossary: [], topics: [], items: [], prompts, rows, known: [], ...more });
}

/** Every text that a person is shown. */
export function textsOfTopic({ title, content, keyPoints, actionItems, items }: TopicSummaryDraft): readonly string[] {
  return [
    title,
    content,
    ...[...keyPoints, ...actionItems].map(({ text }) => text),
    ...items.flatMap((item) => [item.title, item.content]),
  ].filter((text) => text !== '');
}
