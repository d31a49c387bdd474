import type pg from 'pg';
import { z } from 'zod';
import type { TokenCounter } from '../../../domain/ports/embedder.ts';
import type { BenchQuestion } from './coding-sessions.ts';

// The derived content of an instance's database.

const cited = z.array(z.object({ text: z.string() }));
const evidence = z.array(z.object({ rowId: z.string(), quote: z.string() }));
const summaryRow = z.object({
  type: z.string(),
  title: z.string(),
  content: z.string(),
  key_points: cited,
  action_items: cited,
  evidence,
  files: z.array(z.string()),
});
const learningRow = z.object({
  title: z.string(),
  description: z.string(),
  context: z.string(),
  examples: z.array(z.string()),
});
const quoteRow = z.object({ row_id: z.string(), quote: z.string() });
const countRow = z.object({ count: z.coerce.number() });

export interface StoredFigures {
  readonly summaries: number;
  readonly learnings: number;
  readonly capturedTokens: number;
  readonly derivedTokens: number;
  readonly compression: number;
  readonly questions: number;
  readonly found: number;
  readonly foundByType: Readonly<Record<string, string>>;
  /** Quotes of items and learnings, and those that are verbatim in their rows. */
  readonly quotes: number;
  readonly quotesVerbatim: number;
  readonly filesNamed: number;
  readonly filesUntouched: number;
}

/** NFKC, case-folded, white space collapsed. */
function folded(text: string): string {
  return text.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}

/** Scores published summaries and current learnings. */
export async function scoreStored(
  database: pg.Pool,
  tokens: TokenCounter,
  questions: readonly BenchQuestion[],
): Promise<StoredFigures> {
  const summaries = z
    .array(summaryRow)
    .parse(
      (
        await database.query(
          'SELECT type, title, content, key_points, action_items, evidence, files_read || files_modified AS files FROM summaries WHERE published',
        )
      ).rows,
    );
  const learnings = z
    .array(learningRow)
    .parse(
      (await database.query('SELECT title, description, context, examples FROM learnings WHERE valid_to IS NULL')).rows,
    );
  const texts = [
    ...summaries.flatMap(({ title, content, key_points: points, action_items: actions }) => [
      title,
      content,
      ...[...points, ...actions].map(({ text }) => text),
    ]),
    ...learnings.flatMap(({ title, description, context, examples }) => [title, description, context, ...examples]),
  ];
  const capturedTokens = await count(
    database,
    'SELECT (SELECT coalesce(sum(tokens), 0) FROM prompts) + (SELECT coalesce(sum(tokens), 0) FROM observations) AS count',
  );
  const derivedTokens = texts.reduce((sum, text) => sum + tokens.count(text), 0);
  const foldedTexts = texts.map(folded);
  const isFound = (question: BenchQuestion) => foldedTexts.some((text) => text.includes(folded(question.evidence)));
  const contents = await contentsOf(database);
  const quotes = [
    ...summaries.filter(({ type }) => type === 'item').flatMap((item) => item.evidence),
    ...z
      .array(quoteRow)
      .parse((await database.query('SELECT row_id, quote FROM learning_evidence')).rows)
      .map(({ row_id: rowId, quote }) => ({ rowId, quote })),
  ];
  const touched = new Set(
    z
      .array(z.object({ file: z.string() }))
      .parse(
        (await database.query('SELECT DISTINCT unnest(files_read || files_modified) AS file FROM observations')).rows,
      )
      .map(({ file }) => file),
  );
  const named = new Set(summaries.flatMap(({ files }) => files));
  return {
    summaries: summaries.length,
    learnings: learnings.length,
    capturedTokens,
    derivedTokens,
    compression: Math.round((10_000 * derivedTokens) / capturedTokens) / 10_000,
    questions: questions.length,
    found: questions.filter(isFound).length,
    foundByType: Object.fromEntries(
      [...Map.groupBy(questions, ({ type }) => type)].map(([type, of]) => [
        type,
        `${String(of.filter(isFound).length)}/${String(of.length)}`,
      ]),
    ),
    quotes: quotes.length,
    quotesVerbatim: quotes.filter(({ rowId, quote }) => contents.get(rowId)?.includes(quote) ?? false).length,
    filesNamed: named.size,
    filesUntouched: [...named].filter((file) => !touched.has(file)).length,
  };
}

async function contentsOf(database: pg.Pool): Promise<ReadonlyMap<string, string>> {
  const rows = z
    .array(z.object({ id: z.string(), content: z.string() }))
    .parse(
      (await database.query('SELECT id, content FROM prompts UNION ALL SELECT id, content FROM observations')).rows,
    );
  return new Map(rows.map(({ id, content }) => [id, content]));
}

/** Returns the single number of a query. */
export async function count(database: pg.Pool, query: string): Promise<number> {
  const [row] = z.array(countRow).parse((await database.query(query)).rows);
  return row?.count ?? Number.NaN;
}
