import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startBenchInstance } from '../capture/bench-instance.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { percentile } from '../figures.ts';
import type { RecallFigures } from '../figures.ts';
import { dataDirectory } from '../command-line.ts';
import { fillCoding } from './coding.ts';
import { UNRELATED_CHINESE, UNRELATED_CODING, UNRELATED_EVERYDAY } from './unrelated.ts';

/** Any block for them is wrong. */
const UNRELATED_QUESTIONS = [...UNRELATED_CODING, ...UNRELATED_EVERYDAY, ...UNRELATED_CHINESE];

const QUESTIONS = fileURLToPath(new URL('../../../../shared/data/coding-sessions/questions.jsonl', import.meta.url));
const BUDGET_TOKENS = 900;
/** Minimum share of queries whose evidence is in the block. */
const LEAST_SHARE = 0.75;
/** Files of the sessions' project with events. */
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

interface Timed extends Answer {
  readonly ms: number;
}

/** Normal form of evidence: NFKC, case-folded, white space collapsed. */
function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}

async function requestContext(instance: BenchInstance, body: Readonly<Record<string, unknown>>): Promise<Timed> {
  const started = performance.now();
  const response = await fetch(`${instance.url}/api/v1/context`, {
    method: 'POST',
    headers: { authorization: `Bearer ${instance.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, budget_tokens: BUDGET_TOKENS }),
  });
  const parsed = answer.parse(await response.json());
  return { ...parsed, ms: performance.now() - started };
}

async function requestEach(
  instance: BenchInstance,
  bodies: readonly Readonly<Record<string, unknown>>[],
): Promise<Timed[]> {
  const answers: Timed[] = [];
  for (const body of bodies) answers.push(await requestContext(instance, body));
  return answers;
}

const share = (part: number, total: number): number => Math.round((part / total) * 1_000) / 1_000;
const isEmpty = ({ text }: Answer): boolean => text === '';

function latency(answers: readonly Timed[]): { readonly p50: number; readonly p95: number } {
  const samples = answers.map(({ ms }) => ms);
  return { p50: percentile(samples, 0.5), p95: percentile(samples, 0.95) };
}

function meanTokens(answers: readonly Timed[]): number {
  return Math.round(answers.reduce((sum, { tokens }) => sum + tokens, 0) / answers.length);
}

/** Measures context blocks on an instance with the shared coding sessions. */
export async function measureContext(instance: BenchInstance): Promise<RecallFigures> {
  const questions = readFileSync(QUESTIONS, 'utf8')
    .trim()
    .split('\n')
    .map((line) => question.parse(JSON.parse(line)));
  const prompts = questions.map((each) => ({ purpose: 'prompt', prompt: each.question }));
  // The first query loads the model, which is not measured.
  await requestContext(instance, { purpose: 'prompt', prompt: 'What is known of this project?' });
  const first = await requestEach(instance, prompts);
  const again = await requestEach(instance, prompts);
  const hasEvidence = questions.map((each, n) => folded(first[n]?.text ?? '').includes(folded(each.evidence)));
  const byType = Object.fromEntries(
    [...new Set(questions.map(({ type }) => type))].map((type) => {
      const places = questions.flatMap((each, n) => (each.type === type ? [n] : []));
      return [type, `${places.filter((n) => hasEvidence[n] === true).length}/${places.length}`];
    }),
  );
  const unrelated = await requestEach(
    instance,
    UNRELATED_QUESTIONS.map((prompt) => ({ purpose: 'prompt', prompt })),
  );
  const project = 'BookMinder';
  const files = await requestEach(
    instance,
    FILES.map((file) => ({ purpose: 'file', file, project })),
  );
  const starts = await requestEach(
    instance,
    FILES.map(() => ({ purpose: 'session_start', project })),
  );
  const found = hasEvidence.filter(Boolean).length;
  return {
    questions: questions.length,
    evidence: found,
    // Rules are chosen by the first half.
    evidenceByHalf: [0, 1].map((half) => hasEvidence.filter((has, n) => has && n % 2 === half).length),
    share: share(found, questions.length),
    byType,
    empty: share(first.filter(isEmpty).length, first.length),
    meanTokens: meanTokens(first),
    sameBytes: first.every((each, n) => each.text === again[n]?.text),
    unrelated: {
      questions: unrelated.length,
      empty: share(unrelated.filter(isEmpty).length, unrelated.length),
      meanTokens: meanTokens(unrelated),
    },
    ms: { prompt: latency([...first, ...again]), file: latency(files), session_start: latency(starts) },
    tokens: { file: meanTokens(files), session_start: meanTokens(starts) },
    missed: found >= LEAST_SHARE * questions.length ? [] : [`evidence in ${found} of ${questions.length} blocks`],
  };
}

/** Measures whether a block of 900 tokens contains the answers about the shared coding sessions. */
export async function runContext(): Promise<RecallFigures> {
  if (!existsSync(QUESTIONS)) return { skipped: 'no shared data' };
  // The same instance as for the search queries, if it is stored.
  const instance = await startBenchInstance({ RECOLLECT_TRANSCRIPTS: 'off' }, dataDirectory('coding'));
  try {
    await fillCoding(instance);
    return await measureContext(instance);
  } finally {
    await instance.stop();
  }
}
