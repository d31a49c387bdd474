import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startBenchInstance } from '../capture/bench-instance.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { percentile } from '../figures.ts';
import { awaitUnderstood, replaySessions, sharedHooks } from '../summarise/replay.ts';
import type { RecallFigures } from './figures.ts';
import { keptDirectory } from './options.ts';
import { UNRELATED_QUESTIONS } from './unrelated-questions.ts';

const QUESTIONS = fileURLToPath(new URL('../../../../shared/data/coding-sessions/questions.jsonl', import.meta.url));
const BUDGET_TOKENS = 900;
const TIMEOUT_MS = 1_800_000;
/** Minimum share of queries whose evidence is in the block. */
const LEAST_SHARE = 0.6;
/** Files of the sessions' project that something happened to. */
const FILES = [
  'bookminder/cli.py',
  'bookminder/apple_books/library.py',
  'specs/cli_spec.py',
  'pyproject.toml',
  'README.md',
];

const question = z.object({ type: z.string(), question: z.string(), evidence: z.string() });
const answer = z.object({ text: z.string(), tokens: z.number(), items: z.array(z.unknown()) });
type Answer = z.output<typeof answer>;

interface Asked extends Answer {
  readonly ms: number;
}

/** Normal form of evidence: NFKC, case-folded, white space collapsed. */
function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}

async function ask(instance: BenchInstance, body: Readonly<Record<string, unknown>>): Promise<Asked> {
  const started = performance.now();
  const response = await fetch(`${instance.url}/api/v1/context`, {
    method: 'POST',
    headers: { authorization: `Bearer ${instance.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, budget_tokens: BUDGET_TOKENS }),
  });
  const parsed = answer.parse(await response.json());
  return { ...parsed, ms: performance.now() - started };
}

async function askEach(
  instance: BenchInstance,
  bodies: readonly Readonly<Record<string, unknown>>[],
): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const body of bodies) asked.push(await ask(instance, body));
  return asked;
}

const share = (part: number, whole: number): number => Math.round((part / whole) * 1_000) / 1_000;
const isEmpty = ({ text }: Answer): boolean => text === '';

function latency(asked: readonly Asked[]): { readonly p50: number; readonly p95: number } {
  const samples = asked.map(({ ms }) => ms);
  return { p50: percentile(samples, 0.5), p95: percentile(samples, 0.95) };
}

function meanTokens(asked: readonly Asked[]): number {
  return Math.round(asked.reduce((sum, { tokens }) => sum + tokens, 0) / asked.length);
}

/** Measures context blocks on an instance with the shared coding sessions. */
export async function measureContext(instance: BenchInstance): Promise<RecallFigures> {
  const questions = readFileSync(QUESTIONS, 'utf8')
    .trim()
    .split('\n')
    .map((line) => question.parse(JSON.parse(line)));
  const prompts = questions.map((each) => ({ purpose: 'prompt', prompt: each.question }));
  // The first query loads the model, which is not measured.
  await ask(instance, { purpose: 'prompt', prompt: 'What is known of this project?' });
  const asked = await askEach(instance, prompts);
  const again = await askEach(instance, prompts);
  const held = questions.map((each, n) => folded(asked[n]?.text ?? '').includes(folded(each.evidence)));
  const byType = Object.fromEntries(
    [...new Set(questions.map(({ type }) => type))].map((type) => {
      const places = questions.flatMap((each, n) => (each.type === type ? [n] : []));
      return [type, `${places.filter((n) => held[n] === true).length}/${places.length}`];
    }),
  );
  const unrelated = await askEach(
    instance,
    UNRELATED_QUESTIONS.map((prompt) => ({ purpose: 'prompt', prompt })),
  );
  const project = 'BookMinder';
  const files = await askEach(
    instance,
    FILES.map((file) => ({ purpose: 'file', file, project })),
  );
  const starts = await askEach(
    instance,
    FILES.map(() => ({ purpose: 'session_start', project })),
  );
  const found = held.filter(Boolean).length;
  return {
    questions: questions.length,
    evidence: found,
    share: share(found, questions.length),
    byType,
    empty: share(asked.filter(isEmpty).length, asked.length),
    meanTokens: meanTokens(asked),
    sameBytes: asked.every((each, n) => each.text === again[n]?.text),
    unrelated: {
      questions: unrelated.length,
      empty: share(unrelated.filter(isEmpty).length, unrelated.length),
      meanTokens: meanTokens(unrelated),
    },
    ms: { prompt: latency([...asked, ...again]), file: latency(files), session_start: latency(starts) },
    tokens: { file: meanTokens(files), session_start: meanTokens(starts) },
    missed: found >= LEAST_SHARE * questions.length ? [] : [`evidence in ${found} of ${questions.length} blocks`],
  };
}

/** Measures whether a block of 900 tokens contains the answers about the shared coding sessions. */
export async function runContext(): Promise<RecallFigures> {
  if (!existsSync(QUESTIONS)) return { skipped: 'no shared data' };
  // The same instance as for the search queries, if it is stored.
  const instance = await startBenchInstance({ RECOLLECT_TRANSCRIPTS: 'off' }, keptDirectory('coding'));
  try {
    const ids = await replaySessions(instance, sharedHooks());
    await awaitUnderstood(instance, ids, { vectors: true, timeoutMs: TIMEOUT_MS });
    return await measureContext(instance);
  } finally {
    await instance.stop();
  }
}
