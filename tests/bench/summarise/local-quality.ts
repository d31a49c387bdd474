import { groundLearnings, groundSession, groundTopic, quotableRows } from '../../../domain/grounding.ts';
import type {
  LearningDraft,
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
import { type BenchQuestion, type BenchSession, readCodingSessions } from './coding-sessions.ts';

// Quality and size of the local model's output for real sessions. Prints one JSON line; no database, no network, no engines.

/** Everything derived from one session, after grounding. */
export interface Understanding {
  readonly session: BenchSession;
  readonly topics: readonly TopicSummaryDraft[];
  readonly summary: SessionSummaryDraft;
  readonly learnings: readonly LearningDraft[];
  /** Claims dropped for an invalid quote. */
  readonly dropped: number;
  /** All claims. */
  readonly claims: number;
}

export interface LocalQuality {
  readonly questions: number;
  readonly found: number;
  readonly share: number;
  readonly byType: Readonly<Record<string, string>>;
  readonly missed: readonly string[];
  readonly capturedTokens: number;
  readonly derivedTokens: number;
  readonly compression: number;
  readonly tokensBy: Readonly<Record<'topics' | 'items' | 'sessions' | 'learnings', number>>;
  readonly claims: number;
  readonly claimsDropped: number;
  readonly filesUntouched: readonly string[];
  /** Texts of eight words and more that occur twice in one session's output. */
  readonly saidTwice: readonly string[];
  readonly windows: number;
  readonly windowsPerSecond: number;
  readonly slowestSessionMs: number;
}

/** Prompts of session summary and learnings: the first and the last of a long session, as in the activities. */
const SESSION_PROMPTS = { head: 20, tail: 40 };
const LEARNING_PROMPTS = { head: 50, tail: 150 };
const ROWS_AFTER = 6;

/** Runs the model over the sessions and scores its output. `countTokens` counts o200k tokens. */
export async function scoreModel(
  model: ModelPort,
  sessions: readonly BenchSession[],
  questions: readonly BenchQuestion[],
  countTokens: (text: string) => number,
): Promise<LocalQuality> {
  const understood: Understanding[] = [];
  const times: number[] = [];
  for (const session of sessions) {
    const start = performance.now();
    understood.push(await understand(model, session));
    times.push(performance.now() - start);
  }
  const texts = understood.map((one) => ({ name: one.session.name, ...textsOf(one) }));
  const foldedTexts = texts.map(({ name, ...parts }) => ({ name, texts: Object.values(parts).flat().map(folded) }));
  const foundIn = ({ evidence }: BenchQuestion): boolean =>
    foldedTexts.some(({ texts: all }) => all.some((text) => text.includes(folded(evidence))));
  const found = questions.filter(foundIn);
  const inputTokens = (part: 'topics' | 'items' | 'sessions' | 'learnings'): number =>
    texts.reduce((sum, of) => sum + of[part].reduce((tokens, text) => tokens + countTokens(text), 0), 0);
  const tokensBy = {
    topics: inputTokens('topics'),
    items: inputTokens('items'),
    sessions: inputTokens('sessions'),
    learnings: inputTokens('learnings'),
  };
  const derivedTokens = Object.values(tokensBy).reduce((sum, tokens) => sum + tokens, 0);
  const capturedTokens = sessions.reduce((sum, { rows }) => rows.reduce((all, row) => all + row.tokens, sum), 0);
  const windows = sessions.reduce((sum, session) => sum + session.windows.length, 0);
  return {
    questions: questions.length,
    found: found.length,
    share: round(found.length / questions.length),
    byType: Object.fromEntries(
      [...Map.groupBy(questions, ({ type }) => type)].map(([type, of]) => [
        type,
        `${String(of.filter(foundIn).length)}/${String(of.length)}`,
      ]),
    ),
    missed: questions.filter((question) => !foundIn(question)).map(({ id }) => id),
    capturedTokens,
    derivedTokens,
    compression: round(derivedTokens / capturedTokens),
    tokensBy,
    claims: understood.reduce((sum, { claims }) => sum + claims, 0),
    claimsDropped: understood.reduce((sum, { dropped }) => sum + dropped, 0),
    filesUntouched: understood.flatMap((one) => untouchedFiles(one)),
    saidTwice: understood.flatMap((one) => repeatedTexts(one)),
    windows,
    windowsPerSecond: round((1000 * windows) / times.reduce((sum, time) => sum + time, 0)),
    slowestSessionMs: Math.round(Math.max(0, ...times)),
  };
}

/** Summarises the windows, then the session, then derives its learnings, each grounded as in the activities. */
export async function understand(model: ModelPort, session: BenchSession): Promise<Understanding> {
  const { signal } = new AbortController();
  const common = { projectName: 'bench', glossary: [] };
  const topics: TopicSummaryDraft[] = [];
  let dropped = 0;
  let precedingRequest: WindowInput['precedingRequest'] = null;
  for (const rows of session.windows) {
    const input = { ...common, precedingRequest, known: [], rows };
    const grounded = groundTopic(await answerOf(model.prepareWindow(input, signal), signal), rows);
    dropped += grounded.dropped;
    topics.push(grounded.supported);
    precedingRequest = rows.findLast(({ type }) => type === 'user') ?? precedingRequest;
  }
  const prompts = session.rows.filter(({ role }) => role === 'prompt');
  const derived = {
    ...common,
    topics: topics.map((topic, n) => ({ ...topic, id: `topic-${String(n)}` })),
    items: topics.flatMap(({ items }, topic) =>
      items.map((item, n) => ({ ...item, id: `item-${String(topic)}-${String(n)}` })),
    ),
  };
  const sessionInput: SessionInput = { ...derived, prompts: ends(prompts, SESSION_PROMPTS) };
  const summary = groundSession(
    await answerOf(model.prepareSession(sessionInput, signal), signal),
    quotableRows(sessionInput),
  );
  const learningInput = {
    ...derived,
    prompts: ends(prompts, LEARNING_PROMPTS),
    rows: rowsAround(session.rows, derived.items),
    known: [],
  };
  const learnings = groundLearnings(await answerOf(model.prepareLearnings(learningInput, signal), signal), [
    ...quotableRows(learningInput),
    ...learningInput.rows,
  ]);
  dropped += summary.dropped + learnings.dropped;
  const grounded =
    topics.reduce((sum, topic) => sum + topic.keyPoints.length + topic.actionItems.length + topic.items.length, 0) +
    summary.supported.keyPoints.length +
    summary.supported.actionItems.length +
    learnings.supported.length;
  return {
    session,
    topics,
    summary: summary.supported,
    learnings: learnings.supported,
    dropped,
    claims: grounded + dropped,
  };
}

async function answerOf<Output>(prepared: Promise<PreparedCall<Output>>, signal: AbortSignal): Promise<Output> {
  const call = await prepared;
  // Parsed from its text, like a cached response.
  const { text } = await call.send(signal);
  let reading = call.read(text);
  if (!reading.ok) {
    // One repair, as in the activities: a provider's run is paid and must not end at its first unusable response.
    const repair = await call.repair(text, reading.problem, signal);
    reading = repair.read((await repair.send(signal)).text);
  }
  if (!reading.ok) throw new Error(reading.problem);
  return reading.output;
}

function ends(prompts: readonly SourceRow[], { head, tail }: { head: number; tail: number }): readonly SourceRow[] {
  return prompts.length <= head + tail ? prompts : [...prompts.slice(0, head), ...prompts.slice(-tail)];
}

function rowsAround(
  rows: readonly SourceRow[],
  items: readonly { readonly evidence: readonly { readonly rowId: string }[] }[],
): readonly SourceRow[] {
  const cited = new Set(items.flatMap(({ evidence }) => evidence.map(({ rowId }) => rowId)));
  const wanted = rows.filter(({ id, type }) => cited.has(id) || type === 'error').map(({ seq }) => seq);
  return rows.filter(({ seq }) => wanted.some((from) => seq >= from && seq <= from + ROWS_AFTER));
}

/** Returns every displayed text, by location. */
export function textsOf({ topics, summary, learnings }: Understanding): {
  readonly topics: readonly string[];
  readonly items: readonly string[];
  readonly sessions: readonly string[];
  readonly learnings: readonly string[];
} {
  const cited = (points: readonly { readonly text: string }[]): readonly string[] => points.map(({ text }) => text);
  return {
    topics: topics.flatMap((topic) => [
      topic.title,
      topic.content,
      ...cited(topic.keyPoints),
      ...cited(topic.actionItems),
    ]),
    items: topics.flatMap(({ items }) => items.flatMap(({ title, content, tags }) => [title, content, ...tags])),
    sessions: [
      summary.title,
      summary.request,
      summary.investigated,
      summary.learned,
      summary.completed,
      summary.nextSteps,
      summary.notes,
      ...cited(summary.keyPoints),
      ...cited(summary.actionItems),
    ],
    learnings: learnings.flatMap(({ title, description, context, examples, tags }) => [
      title,
      description,
      context,
      ...examples,
      ...tags,
    ]),
  };
}

const FILE_NAME =
  /[\w.-]*[\w-]\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|swift|c|cc|cpp|h|cs|php|sql|sh|toml|ya?ml|json|md|html|css|lock|ini|cfg|plist|prisma|proto|tf|txt|sqlite|xml)\b/gu;

/** Returns file names in derived text that no tool input of the session contains. */
function untouchedFiles(one: Understanding): readonly string[] {
  const names = Object.values(textsOf(one))
    .flat()
    .flatMap((text) => text.match(FILE_NAME) ?? []);
  return [...new Set(names)].filter((name) => !one.session.toolInputs.includes(name));
}

const WORDS_OF_A_STATEMENT = 8;

/** Returns texts that another text of the same session contains. */
function repeatedTexts(one: Understanding): readonly string[] {
  const all = Object.values(textsOf(one)).flat().map(folded);
  return all.filter(
    (text, index) =>
      text.split(' ').length >= WORDS_OF_A_STATEMENT &&
      all.some((other, place) => place !== index && other.includes(text) && (other !== text || place < index)),
  );
}

function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

if (import.meta.main) {
  const { count } = createTokenCounter();
  const data = readCodingSessions(count);
  if (data === null) {
    process.stdout.write('skipped: no shared data\n');
  } else {
    const model = createLocalModel({ countTokens: count, now: () => performance.now() });
    process.stdout.write(`${JSON.stringify(await scoreModel(model, data.sessions, data.questions, count))}\n`);
  }
}
