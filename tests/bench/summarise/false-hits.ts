import { cacheQuestion, novelWordsOf, reuseNear } from '../../../activities/model-calls/answer-cache.ts';
import type { CacheQuestion } from '../../../activities/model-calls/answer-cache.ts';
import { nearWindow } from '../../../activities/summarise/write-summary.ts';
import type { SourceRow, TopicSummaryDraft, WindowInput } from '../../../domain/ports/model.ts';
import { createLocalModel } from '../../../models/local/model.ts';

/** A meaningful change of a window; null if the window has nothing to change. */
type Change = (rows: readonly SourceRow[]) => readonly SourceRow[] | null;

export interface FalseHits {
  readonly windows: number;
  /** By kind of change: changed windows, and those that still got the unchanged window's response. */
  readonly changed: Readonly<Record<string, { readonly candidates: number; readonly falseHits: number }>>;
  /** Pairs of different windows; a hit is false if the model's response would differ. */
  readonly pairs: { readonly candidates: number; readonly hits: number; readonly falseHits: number };
  /** Replays with other times, durations and ids only: number of hits. */
  readonly replays: { readonly candidates: number; readonly hits: number };
  /** False hits among all changed windows. */
  readonly falseHitRate: number;
}

const isOutput = (row: SourceRow): boolean => row.type === 'tool_result' || row.type === 'error';
const isWritten = (row: SourceRow): boolean => row.filesModified.length > 0;

/** Changes the first row that matches a pattern; null without a match. */
function change(
  rows: readonly SourceRow[],
  among: (row: SourceRow) => boolean,
  pattern: RegExp,
  replaced: (...groups: string[]) => string,
): readonly SourceRow[] | null {
  const at = rows.findIndex((row) => among(row) && pattern.test(row.content));
  if (at < 0) return null;
  return rows.map((row, n) => (n === at ? { ...row, content: row.content.replace(pattern, replaced) } : row));
}

/** Replaces an unmarked word in the middle of a text. */
function otherWord(rows: readonly SourceRow[], among: (row: SourceRow) => boolean): readonly SourceRow[] | null {
  const at = rows.findIndex((row) => among(row) && /\p{L}{6,}/u.test(row.content.slice(row.content.length / 2)));
  const row = rows[at];
  if (row === undefined) return null;
  const half = Math.floor(row.content.length / 2);
  const content = row.content.slice(0, half) + row.content.slice(half).replace(/\p{L}{6,}/u, 'something');
  return rows.map((other, n) => (n === at ? { ...other, content } : other));
}

const CHANGES: Readonly<Record<string, Change>> = {
  'number of an outcome': (rows) =>
    change(
      rows,
      isOutput,
      /(?<![\p{L}\p{N}:.])(\d+)( (?:passed|failed|errors?|tests?|warnings?)\b)/iu,
      (_, count, what) => `${Number(count) + 1}${what ?? ''}`,
    ),
  'pass turned to fail': (rows) => change(rows, isOutput, /\bpassed\b|✓/u, (word) => (word === '✓' ? '✗' : 'failed')),
  'file renamed': (rows) =>
    change(
      rows,
      isOutput,
      /[\p{L}\p{N}_-]+(\.(?:ts|js|py|swift|md|json|sh|yml)\b)/u,
      (_, ending) => `renamed${ending ?? ''}`,
    ),
  'any number': (rows) =>
    change(rows, isOutput, /\b(\d{1,4})\b(?!\s?(?:ms|s|m|h)\b)/u, (number) => String(Number(number) + 7)),
  'word of the user': (rows) =>
    change(
      rows,
      (row) => row.type === 'user',
      /\p{L}{4,}/u,
      () => 'never',
    ),
  'what was written': (rows) => change(rows, isWritten, /\p{L}{4,}(?!.*\n)/u, () => 'altered'),
};

/** Changes that may not affect the response: a hit is false only if the model's response would differ. */
const SUBTLE: Readonly<Record<string, Change>> = {
  'word of the assistant': (rows) => otherWord(rows, (row) => row.type === 'assistant'),
  'word of an output': (rows) => otherWord(rows, (row) => isOutput(row) && !isWritten(row)),
};

/** Returns the same work at another time: with other ids, times, durations, temporary names and hashes. */
function replayed(rows: readonly SourceRow[]): readonly SourceRow[] {
  const again = (text: string): string =>
    text
      .replace(
        /\b(\d+)(\.\d+)?( ?(?:ms|s|seconds))\b/gu,
        (_, integer: string, part: string | undefined, unit: string) => `${Number(integer) + 3}${part ?? ''}${unit}`,
      )
      .replace(/\b(\d{4}-\d\d-\d\d)T\d\d/gu, '$1T07')
      .replace(/\b\d\d:\d\d:\d\d\b/gu, '07:08:09')
      .replace(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}\b/gu, (hex) => Array.from(hex).toReversed().join(''));
  return rows.map((row) => ({
    ...row,
    id: `${row.id}-again`,
    seq: row.seq + 1_000,
    occurredAt: '2030-01-01T00:00:00Z',
    content: row.type === 'user' || isWritten(row) ? row.content : again(row.content),
  }));
}

interface CachedWindow {
  readonly rows: readonly SourceRow[];
  readonly text: string;
  readonly output: TopicSummaryDraft;
  readonly question: CacheQuestion;
}

function inputOf(rows: readonly SourceRow[]): WindowInput {
  return { projectName: 'bench', glossary: [], precedingRequest: null, known: [], rows };
}

/** Returns the content of a response without row ids. */
function contentOf(output: TopicSummaryDraft): string {
  return JSON.stringify(output, (key, value: unknown) => (key === 'rowId' ? undefined : value));
}

/**
 * Counts false hits of the near-duplicate cache: compares every window's response of the local model, which is deterministic, with changed,
 * replayed and other windows, by the rules of the response cache without its store. Takes about 15 s for a hundred windows.
 */
export async function measureFalseHits(
  sessions: readonly { readonly windows: readonly (readonly SourceRow[])[] }[],
  countTokens: (text: string) => number,
  similarity = 0.97,
): Promise<FalseHits> {
  const model = createLocalModel({ countTokens, now: () => 0 });
  const signal = new AbortController().signal;
  const settings = { similarity, days: 30 };
  const questionOf = (rows: readonly SourceRow[]): CacheQuestion => {
    const input = inputOf(rows);
    return cacheQuestion(model.windowRequest(input), nearWindow(input), settings);
  };
  const answered = async (rows: readonly SourceRow[]): Promise<CachedWindow> => {
    const { text, reading } = await (await model.prepareWindow(inputOf(rows), signal)).send(signal);
    if (!reading.ok) throw new Error(`the model's own response cannot be read: ${reading.where}`);
    return { rows, text, output: reading.output, question: questionOf(rows) };
  };
  /** Returns the response that `rows` would get from the cache; null for a model call. */
  const reused = (
    cached: CachedWindow,
    rows: readonly SourceRow[],
    question = questionOf(rows),
  ): TopicSummaryDraft | null => {
    const [near, other] = [cached.question.near, question.near];
    if (near === null || other === null || !near.keys.some((key) => other.keys.includes(key))) return null;
    const input = inputOf(rows);
    const novelWords = novelWordsOf(cached.text, cached.question.text);
    const candidate = { response: cached.text, signature: near.signature, novelWords };
    return reuseNear(candidate, model.windowRequest(input), question, nearWindow(input), similarity);
  };

  const all: CachedWindow[] = [];
  for (const rows of sessions.flatMap((session) => session.windows))
    if (rows.length > 0) all.push(await answered(rows));

  const changed: Record<string, { candidates: number; falseHits: number }> = {};
  for (const [name, alter] of Object.entries({ ...CHANGES, ...SUBTLE })) {
    const figures = { candidates: 0, falseHits: 0 };
    for (const cached of all) {
      const rows = alter(cached.rows);
      if (rows === null || JSON.stringify(rows) === JSON.stringify(cached.rows)) continue;
      figures.candidates += 1;
      const served = reused(cached, rows);
      if (served === null) continue;
      if (name in CHANGES || contentOf((await answered(rows)).output) !== contentOf(served)) figures.falseHits += 1;
    }
    changed[name] = figures;
  }

  const pairs = { candidates: 0, hits: 0, falseHits: 0 };
  for (const cached of all)
    for (const other of all) {
      if (cached === other) continue;
      pairs.candidates += 1;
      const served = reused(cached, other.rows, other.question);
      if (served === null) continue;
      pairs.hits += 1;
      if (contentOf(served) !== contentOf(other.output)) pairs.falseHits += 1;
    }

  const replays = { candidates: all.length, hits: 0 };
  for (const cached of all) if (reused(cached, replayed(cached.rows)) !== null) replays.hits += 1;

  const sums = Object.values(changed);
  const candidates = sums.reduce((sum, one) => sum + one.candidates, 0);
  const falseHits = sums.reduce((sum, one) => sum + one.falseHits, 0);
  return {
    windows: all.length,
    changed,
    pairs,
    replays,
    falseHitRate: candidates === 0 ? 0 : falseHits / candidates,
  };
}
