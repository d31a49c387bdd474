import type { LearningInput, SessionInput, SourceRow, WindowInput } from '../../../domain/ports/model.ts';
import type { Names } from '../answers.ts';
import { ShortIds } from './marks.ts';
import { type Laid, layOut, type Part } from './parts.ts';
import { rowPart } from './row-part.ts';
import {
  knownParts,
  knownTitlesPart,
  namedItemPart,
  pointedTopicPart,
  fullItemPart,
  fullTopicPart,
} from './stored-parts.ts';
import { textPart } from './text-part.ts';

/** The variable part of a request, with its short ids. */
export interface Rendering extends Laid, Names {}

/** An unusable response and the reason: shown again as data, because it may repeat recorded text. */
export interface UnusableResponse {
  readonly text: string;
  readonly problem: string;
}

/** Renders the same input for another number of tokens. Deterministic. */
export type Renderer = (tokens: number, bad: UnusableResponse | null) => Rendering;

type CountTokens = (text: string) => number;

/** Share of rows in calls that are about summaries and items. */
const BACKGROUND_SHARE = 0.35;

/** Renders the rows of a window. */
export function windowRenderer(input: WindowInput, countTokens: CountTokens): Renderer {
  return (tokens, bad) =>
    rendering(tokens, bad, countTokens, (rowIds) => [
      ...projectPart(input.projectName),
      ...(input.precedingRequest === null
        ? []
        : [textPart('asked before', input.precedingRequest.content, { weight: 3, cap: 80, floor: 16 })]),
      ...(input.known.length === 0 ? [] : [knownTitlesPart(input.known)]),
      ...rowParts(input.rows, rowIds, 1),
    ]);
}

/** Renders topics, items and prompts of a session. */
export function sessionRenderer(input: SessionInput, countTokens: CountTokens): Renderer {
  return (tokens, bad) =>
    rendering(tokens, bad, countTokens, (rowIds) => [
      ...projectPart(input.projectName),
      // The first prompt states the purpose of the session.
      ...rowParts(input.prompts, rowIds, BACKGROUND_SHARE).map((part, index) =>
        index === 0 ? { ...part, weight: 2 * part.weight + 4 } : part,
      ),
      ...input.topics.map((topic) => fullTopicPart(topic, rowIds)),
      ...input.items.map((item) => namedItemPart(item, rowIds)),
    ]);
}

/** Renders items in full, topics by their points, rows in order, and known learnings. */
export function learningsRenderer(input: LearningInput, countTokens: CountTokens): Renderer {
  const byId = new Map([...input.prompts, ...input.rows].map((row) => [row.id, row]));
  const rows = [...byId.values()].sort((a, b) => a.seq - b.seq);
  return (tokens, bad) =>
    rendering(tokens, bad, countTokens, (rowIds, knownIds) => [
      ...projectPart(input.projectName),
      ...knownParts(input.known, knownIds),
      ...rowParts(rows, rowIds, BACKGROUND_SHARE),
      ...input.topics.map((topic) => pointedTopicPart(topic, rowIds)),
      ...input.items.map((item) => fullItemPart(item, rowIds)),
    ]);
}

function rendering(
  tokens: number,
  bad: UnusableResponse | null,
  countTokens: CountTokens,
  partsOf: (rowIds: ShortIds, knownIds: ShortIds) => readonly Part[],
): Rendering {
  const rowIds = new ShortIds('R');
  const knownIds = new ShortIds('K');
  const laid = layOut([...partsOf(rowIds, knownIds), ...badParts(bad)], tokens, countTokens);
  return {
    ...laid,
    rowId: (short) => rowIds.idOf(short) ?? short,
    knownId: (short) => knownIds.idOf(short),
  };
}

function rowParts(rows: readonly SourceRow[], ids: ShortIds, share: number): readonly Part[] {
  return rows.map((row, index) => rowPart(row, ids.shortOf(row.id), rows[index - 1], share));
}

function projectPart(name: string | null): readonly Part[] {
  return name === null ? [] : [textPart('project', name, { weight: 10, cap: 40, floor: 10 })];
}

function badParts(bad: UnusableResponse | null): readonly Part[] {
  if (bad === null) return [];
  const answer = bad.text.trim() === '' ? '(no text)' : bad.text;
  return [
    textPart('unusable answer', answer, { weight: 3, cap: 500, floor: 40, headShare: 0.6 }),
    textPart('problem', bad.problem, { weight: 10, cap: 200, floor: 100, headShare: 0.9 }),
  ];
}
