import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Understanding } from '../summarise/local-quality.ts';
import { hashOf, isUseful, saysWhatHappened } from './judgement.ts';
import { matches } from './matching.ts';
import { HALVES, KINDS, type Rubric, type RubricItem } from './rubric.ts';
import { resultsOf, sentences, statementsOf } from './statements.ts';

/** What a session left behind, with its list. */
interface Scored {
  readonly rubric: Rubric;
  readonly statements: readonly string[];
  readonly found: readonly RubricItem[];
  readonly saysWhatHappened: boolean;
}

export interface QualityFigures {
  readonly sessions: number;
  readonly items: number;
  readonly recall: number;
  readonly recallBy: Readonly<Record<string, number>>;
  /** Of items that someone stated as a decision, a preference or a next step. */
  readonly statedKept: number;
  /** Items that a statement of another session matches, averaged over the other sessions: found by chance. */
  readonly falseMatches: number;
  readonly statements: number;
  /** Statements that match an item of the list or are useful. */
  readonly precision: number;
  readonly precisionBy: Readonly<Record<string, number>>;
  /** Of the labelled statements that occur in this run, those that the mechanical judgement decides like the reader. */
  readonly judgement: {
    readonly labelled: number;
    readonly agreement: number;
    /** Useful by the reader, and by the judgement. */
    readonly usefulByReader: number;
    readonly usefulByJudgement: number;
  };
  readonly sayWhatHappened: number;
  readonly sayNothing: readonly string[];
  readonly missed: readonly string[];
}

const STATED_KINDS: ReadonlySet<string> = new Set(['decision', 'preference', 'open']);
const labels = z.record(z.string(), z.boolean());

/** Scores what each session left behind against its list. */
export function scoreQuality(
  understood: readonly { readonly rubric: Rubric; readonly of: Understanding }[],
): QualityFigures {
  const scored: readonly Scored[] = understood.map(({ rubric, of }) => {
    const statements = statementsOf(of);
    return {
      rubric,
      statements,
      found: rubric.items.filter((item) => statements.some((statement) => matches(item, statement))),
      saysWhatHappened: saysWhatHappened(of.summary.title, resultsOf(of.summary).flatMap(sentences)),
    };
  });
  const found = new Set(scored.flatMap((one) => one.found.map(({ id }) => id)));
  const items = scored.flatMap(({ rubric }) => rubric.items);
  const recallOf = (of: readonly RubricItem[]) => share(of.filter(({ id }) => found.has(id)).length, of.length);
  const useful = scored.map(({ rubric, statements }) =>
    statements.filter((statement) => isUseful(statement) || rubric.items.some((item) => matches(item, statement))),
  );
  const all = scored.flatMap(({ statements }) => statements);
  const countOf = (texts: readonly (readonly string[])[]) => texts.reduce((sum, { length }) => sum + length, 0);
  const halves = HALVES.filter((half) => scored.some(({ rubric }) => rubric.half === half));
  return {
    sessions: scored.length,
    items: items.length,
    recall: recallOf(items),
    recallBy: {
      ...Object.fromEntries(KINDS.map((kind) => [kind, recallOf(items.filter((item) => item.kind === kind))])),
      ...Object.fromEntries(
        halves.map((half) => [
          half,
          recallOf(scored.filter(({ rubric }) => rubric.half === half).flatMap(({ rubric }) => rubric.items)),
        ]),
      ),
    },
    statedKept: recallOf(items.filter(({ kind, stated }) => stated && STATED_KINDS.has(kind))),
    falseMatches: falseMatchesOf(scored),
    statements: all.length,
    precision: share(countOf(useful), all.length),
    precisionBy: {
      list: share(
        countOf(
          scored.map(({ rubric, statements }) =>
            statements.filter((statement) => rubric.items.some((item) => matches(item, statement))),
          ),
        ),
        all.length,
      ),
      ...Object.fromEntries(
        halves.map((half) => [
          half,
          share(
            countOf(useful.filter((_, index) => scored[index]?.rubric.half === half)),
            countOf(scored.filter(({ rubric }) => rubric.half === half).map(({ statements }) => statements)),
          ),
        ]),
      ),
    },
    judgement: agreementOf(all),
    sayWhatHappened: scored.filter((one) => one.saysWhatHappened).length,
    sayNothing: scored.filter((one) => !one.saysWhatHappened).map(({ rubric }) => rubric.session),
    missed: items.filter(({ id }) => !found.has(id)).map(({ id }) => id),
  };
}

function falseMatchesOf(scored: readonly Scored[]): number {
  let pairs = 0;
  let matched = 0;
  for (const { rubric } of scored)
    for (const other of scored) {
      if (other.rubric.session === rubric.session) continue;
      pairs += rubric.items.length;
      matched += rubric.items.filter((item) => other.statements.some((statement) => matches(item, statement))).length;
    }
  return share(matched, pairs);
}

function agreementOf(statements: readonly string[]): QualityFigures['judgement'] {
  const known = labels.parse(JSON.parse(readFileSync(new URL('labels.json', import.meta.url), 'utf8')));
  const labelled = statements.flatMap((statement) => {
    const label = known[hashOf(statement)];
    return label === undefined ? [] : [{ label, judged: isUseful(statement) }];
  });
  return {
    labelled: labelled.length,
    agreement: share(labelled.filter(({ label, judged }) => label === judged).length, labelled.length),
    usefulByReader: share(labelled.filter(({ label }) => label).length, labelled.length),
    usefulByJudgement: share(labelled.filter(({ judged }) => judged).length, labelled.length),
  };
}

/** Returns the share with three digits; 0 of none. */
function share(part: number, total: number): number {
  return total === 0 ? 0 : Math.round((1_000 * part) / total) / 1_000;
}
