import { packPassages } from '../domain/context/pack-passages.ts';
import type { PassageGroup, PackedGroup, ValuedPassage } from '../domain/context/pack-passages.ts';
import { passagesOf, repeatsQuery, termsInParts } from '../domain/context/passages.ts';
import type { Passage } from '../domain/context/passages.ts';
import { passageRelevance } from '../domain/context/relevance.ts';
import { memoryHash } from '../domain/memory.ts';
import type { Memory } from '../domain/memory.ts';
import { inertText } from '../domain/recalled/inert-text.ts';

const DAY_MS = 86_400_000;
/** Half-life of recency. */
const HALF_LIFE_DAYS = 30;
/** Weights of context packing (retrieval.md). */
const WEIGHTS = { relevance: 0.4, importance: 0.25, recency: 0.2, use: 0.15 } as const;
/** Use saturates here. */
const MUCH_USE = 50;

interface Worth {
  /** 0–1 */
  readonly importance: number;
  readonly at: Date;
  readonly useWeight: number;
}

/** Returns the age in full UTC days, so that the same memory gives the same bytes all day. */
function ageDays(at: Date, now: Date): number {
  return Math.max(0, Math.floor(now.getTime() / DAY_MS) - Math.floor(at.getTime() / DAY_MS));
}

function besides({ importance, at, useWeight }: Worth, now: Date): number {
  const recency = 2 ** (-ageDays(at, now) / HALF_LIFE_DAYS);
  const use = Math.min(1, Math.log1p(useWeight) / Math.log1p(MUCH_USE));
  return WEIGHTS.importance * importance + WEIGHTS.recency * recency + WEIGHTS.use * use;
}

/** Returns the value of a memory for a purpose, 0–1: relevance 0.40, importance 0.25, recency 0.20, use 0.15. */
export function currentValue(relevance: number, worth: Worth, now: Date): number {
  return WEIGHTS.relevance * relevance + besides(worth, now);
}

/**
 * Returns the value of a memory for a query, 0–1. Importance, recency and use are scaled by relevance: a new and often used memory that is
 * irrelevant is no answer.
 */
export function answerValue(relevance: number, worth: Worth, now: Date): number {
  return relevance * (WEIGHTS.relevance + besides(worth, now));
}

/** A memory with its relevance, best first. */
export interface RankedMemory {
  readonly memory: Memory;
  /** 0–1 */
  readonly score: number;
  /** Why it is offered, for people. */
  readonly reason: string;
}

interface MemoryGroup extends PassageGroup, RankedMemory {
  readonly head: string;
}

/** A memory as a block shows it. */
export interface ServedMemory {
  readonly memory: Memory;
  readonly reason: string;
  readonly line: string;
  readonly value: number;
  /** Positions of the shown passages, in order. */
  readonly places: readonly number[];
}

export interface PackedMemories {
  /** Best first. */
  readonly served: readonly ServedMemory[];
  /** Memories that did not fit, best first. */
  readonly omitted: readonly RankedMemory[];
}

/** Most passages of one memory to pack: more of one are never worth as much as other memories. */
const PASSAGES_OF_MEMORY = 8;
/** Passages below this share of the best one's value are accidental hits. */
const LEAST_SHARE = 0.08;
/** The same relative to the best passage that is already known. */
const LEAST_SHARE_OF_KNOWN = 0.5;
/** Between non-adjacent passages of one memory. */
const GAP = ' … ';
const GAP_TOKENS = 1;

/** Limit of external tool names. */
const TOOL_CHARS = 60;

/** Returns the source of a memory in one word. */
function speakerOf({ type, kind, tool }: Memory): string {
  if (type === 'prompt') return kind === 'assistant' ? 'agent' : kind;
  return type === 'observation' && tool !== null
    ? inertText(tool.slice(0, TOOL_CHARS)).replaceAll(/\s+/gu, ' ').trim()
    : kind;
}

/** Returns the passages of a memory that may be shown: not a user's earlier prompt that only repeats the query. */
function tellable(
  memory: Memory,
  passages: readonly Passage[],
  understoodQuery: ReadonlySet<string>,
): readonly Passage[] {
  if (memory.type !== 'prompt' || memory.kind !== 'user') return passages;
  return passages.filter(({ terms }) => !repeatsQuery(terms, understoodQuery));
}

/** Returns the text to cut into passages. The title is used only without content. */
function textOf({ title, content }: Memory): string {
  return content.trim() === '' ? title : content;
}

function groupOf(
  ranked: RankedMemory,
  passages: readonly Passage[],
  relevance: readonly number[],
  { now, countTokens, known }: PackOptions,
): MemoryGroup {
  const { memory } = ranked;
  const worth = {
    importance: memory.importance,
    at: new Date(memory.occurredAt),
    useWeight: memory.useWeight,
  };
  const head = `- [${memoryHash(memory.id)}] ${speakerOf(memory)}: `;
  const valued = passages
    .map((passage, n) => ({ ...passage, value: answerValue(relevance[n] ?? 0, worth, now) }))
    .toSorted((a, b) => b.value - a.value || a.place - b.place)
    .slice(0, PASSAGES_OF_MEMORY + (known?.get(memory.id)?.size ?? 0))
    .map((passage): ValuedPassage => {
      const text = inertText(passage.text);
      return { ...passage, text, tokens: countTokens(text) + GAP_TOKENS };
    });
  return { ...ranked, id: memory.id, head, headTokens: countTokens(head) + 1, passages: valued };
}

function lineOf({ group, passages }: PackedGroup<MemoryGroup>): string {
  let line = group.head;
  passages.forEach((passage, n) => {
    const before = passages[n - 1];
    if (before !== undefined) line += before.place + 1 === passage.place ? ' ' : GAP;
    line += passage.text;
  });
  // A tag may start in one passage and end in the next.
  return inertText(line);
}

export interface PackOptions {
  readonly now: Date;
  readonly countTokens: (text: string) => number;
  readonly budgetTokens: number;
  /** Positions of known passages by memory: neither they nor their duplicates are shown. */
  readonly known?: ReadonlyMap<string, ReadonlySet<number>>;
}

/**
 * Returns the most relevant passages of these memories under a budget, one line per memory. Deterministic. If the best answer is known
 * already, only passages nearly as good are shown: the rest would be surrounding text.
 */
export function packMemories(query: string, ranked: readonly RankedMemory[], options: PackOptions): PackedMemories {
  const understoodQuery = termsInParts(query);
  const texts = ranked.map(({ memory, score }) => ({
    score,
    passages: tellable(memory, passagesOf(textOf(memory)), understoodQuery),
  }));
  const relevance = passageRelevance(query, texts);
  const groups = ranked.map((each, n) => groupOf(each, texts[n]?.passages ?? [], relevance[n] ?? [], options));
  const isKnown = ({ id }: MemoryGroup, { place }: Passage): boolean => options.known?.get(id)?.has(place) === true;
  const valueOf = (passage: ValuedPassage | undefined): number => passage?.value ?? 0;
  const best = Math.max(0, ...groups.map((group) => valueOf(group.passages[0])));
  const bestKnown = Math.max(
    0,
    ...groups.map((group) => valueOf(group.passages.find((passage) => isKnown(group, passage)))),
  );
  const least = Math.max(LEAST_SHARE * best, LEAST_SHARE_OF_KNOWN * bestKnown);
  const worthy = groups.map((group) => ({
    ...group,
    passages: group.passages.filter((passage) => passage.value >= least && !isKnown(group, passage)),
  }));
  const known = groups.flatMap((group) => group.passages.filter((passage) => isKnown(group, passage)));
  const packed = packPassages(worthy, options.budgetTokens, known);
  const served = new Set(packed.map(({ group }) => group.id));
  return {
    served: packed.map((each) => ({
      memory: each.group.memory,
      reason: each.group.reason,
      line: lineOf(each),
      value: each.value,
      places: each.passages.map(({ place }) => place),
    })),
    omitted: worthy.filter((group) => group.passages.length > 0 && !served.has(group.id)),
  };
}
