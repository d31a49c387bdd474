import { memoryHash } from '../domain/memory.ts';
import type { MemoryType } from '../domain/ports/vector-index.ts';
import { inertText } from '../domain/recalled/inert-text.ts';
import { distilPreferences } from '../domain/profile/preferences.ts';
import type { PreferenceSource } from '../domain/profile/profile.ts';
import type {
  ClosedLearning,
  ContextLearning,
  ContextSession,
  ContextSources,
} from '../stores/postgres/memories/context-sources.ts';
import type { TenantRead } from '../stores/postgres/connection/database.ts';
import { readRequests } from '../stores/postgres/memories/memory-lookups.ts';
import { readMemories } from '../stores/postgres/memories/memories.ts';
import { currentValue } from './context-passages.ts';
import type { RankedMemory } from './context-passages.ts';
import { passagesOf, repeatsQuery, termsInParts } from '../domain/context/passages.ts';
import { termCover } from '../domain/context/relevance.ts';
import { isQuestion } from '../domain/text/questions.ts';
import { termsOf } from '../domain/text/terms.ts';
import type { FoundMemory, TracedMemory } from './search-types.ts';

/** A candidate for a context block, before its tokens are counted. */
export interface ContextEntry {
  readonly id: string;
  readonly type: MemoryType;
  readonly section: number;
  readonly text: string;
  /** Title for the index of omitted entries. */
  readonly title: string;
  readonly value: number;
  /** Why it is offered, for people. */
  readonly reason: string;
}

/** Sections in block order; empty sections are omitted. */
export const SECTIONS = [
  'Where the last session stopped',
  'Requested by the user',
  'Not again',
  'Known',
  'Decided and fixed',
] as const;
const [STOPPED, REQUESTED, NOT_AGAIN, KNOWN, DECIDED] = [0, 1, 2, 3, 4] as const;
/** Most open points of one session. */
const MAX_OPEN = 4;
/** The category of learnings about failures. */
const FAILED = 'error';

/** Longer texts are truncated in a session start. */
export const MAX_TEXT = 400;

/** Returns a text as part of one line. Reads no more of a long one than it may show, plus blanks. */
function short(text: string): string {
  const line = inertText(text.slice(0, MAX_TEXT * 4))
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (line.length <= MAX_TEXT) return line;
  const cut = line.slice(0, MAX_TEXT - 1);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), MAX_TEXT / 2)).toWellFormed()}…`;
}

/** Returns a text without case, punctuation and spacing, for comparison. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

function entryLine(label: string, text: string, id: string): string {
  return `- ${label}${short(text)} [${memoryHash(id)}]`;
}

/** Returns a session with its open points, which matter most for the newest one. */
function entryOfSession(session: ContextSession, index: number, now: Date): ContextEntry {
  const day = session.occurredAt.toISOString().slice(0, 10);
  const open = session.actionItems.filter((item) => !plain(session.nextSteps).includes(plain(item.text)));
  const lines = [
    `- ${day} ${short(session.title)} [${memoryHash(session.id)}]`,
    ...(session.completed === '' ? [] : [`  done: ${short(session.completed)}`]),
    ...(session.nextSteps === '' ? [] : [`  next: ${short(session.nextSteps)}`]),
    ...open.slice(0, MAX_OPEN).map((item) => `  open: ${short(item.text)}`),
  ];
  const worth = { importance: 0.8, at: session.occurredAt, useWeight: 0 };
  return {
    id: session.id,
    type: 'summary',
    section: STOPPED,
    text: lines.join('\n'),
    title: session.title,
    value: currentValue(index === 0 ? 1 : 0.4, worth, now) * lines.length,
    reason: index === 0 ? 'newest session of the project' : 'recent session of the project',
  };
}

interface Placing {
  readonly section: number;
  readonly relevance: number;
  readonly reason: string;
}

function placingOf(learning: ContextLearning, isRequested: boolean): Placing {
  const surety = learning.verified ? 'verified learning' : 'learning';
  const relevance = learning.verified ? 1 : 0.6;
  if (isRequested)
    return { section: REQUESTED, relevance: Math.max(relevance, 0.8), reason: `${surety} in the user's own words` };
  if (learning.category === FAILED)
    return { section: NOT_AGAIN, relevance: Math.max(relevance, 0.7), reason: `${surety} of what failed` };
  const reason = learning.verified
    ? 'verified learning of the project'
    : `learning of the project, confidence ${learning.confidence.toFixed(2)}`;
  return { section: KNOWN, relevance, reason };
}

function entryOfClosed(learning: ClosedLearning, now: Date): ContextEntry {
  const instead = learning.instead === '' ? '' : `; now: ${short(learning.instead)}`;
  return {
    id: learning.id,
    type: 'learning',
    section: NOT_AGAIN,
    text: `- not true any more (${short(learning.reason)}): ${short(learning.description)}${instead} [${memoryHash(learning.id)}]`,
    title: learning.description,
    value: currentValue(0.6, { importance: 0.6, at: learning.closedAt, useWeight: 0 }, now),
    // Recorded with the context: without the user's words, which the line has.
    reason: 'learning that was closed',
  };
}

/** Knowledge of a project and a user. */
export interface ProjectSources extends ContextSources {
  readonly preferences: readonly PreferenceSource[];
}

/** Returns the knowledge of a project for the start of a session. */
export function entriesOfProject(sources: ProjectSources, now: Date): ContextEntry[] {
  const preferences = distilPreferences(sources.preferences);
  const understoodQuery = new Set(preferences.flatMap((preference) => preference.learningIds.slice(0, 1)));
  // Of learnings with the same preference, the most reliable is shown.
  const repeated = new Set(preferences.flatMap((preference) => preference.learningIds.slice(1)));
  const learnings = sources.learnings.filter((learning) => !repeated.has(learning.id));
  const known = learnings.map((learning) => ` ${plain(learning.description)} `);
  return [
    ...sources.sessions.map((session, index) => entryOfSession(session, index, now)),
    ...learnings.map((learning): ContextEntry => {
      const { section, relevance, reason } = placingOf(learning, understoodQuery.has(learning.id));
      const worth = { importance: learning.confidence, at: learning.validFrom, useWeight: learning.useWeight };
      return {
        id: learning.id,
        type: 'learning',
        section,
        text: entryLine(`${learning.category}: `, learning.description, learning.id),
        title: learning.title,
        value: currentValue(relevance, worth, now),
        reason,
      };
    }),
    ...sources.closed.map((learning) => entryOfClosed(learning, now)),
    ...sources.items
      // An item that a learning repeats is omitted.
      .filter(({ title }) => plain(title) === '' || !known.some((text) => text.includes(` ${plain(title)} `)))
      .map((item): ContextEntry => ({
        id: item.id,
        type: 'summary',
        section: DECIDED,
        text: entryLine(`${item.kind}: `, item.title === '' ? item.content : item.title, item.id),
        title: item.title,
        value: currentValue(
          item.kind === 'decision' ? 0.6 : 0.4,
          { importance: item.importance, at: item.occurredAt, useWeight: 0 },
          now,
        ),
        reason: `${item.kind} of the project`,
      })),
  ];
}

/**
 * Search hits are served only if the best has this cosine similarity: an empty block is better than a wrong one. For queries about unknown
 * subjects the best is between 0.46 and 0.68, for answerable ones between 0.63 and 0.92 (docs/context.md).
 */
const LEAST_SIMILARITY = 0.72;
/** Or if one memory has this share of the query's terms, and a minimum number of them: 0.40 at most for the former, 0.40 to 1 for the latter. */
const LEAST_COVER = 0.5;
const LEAST_TERMS = 2;

function queryTerms(query: string): readonly string[] {
  return [...new Set(termsOf(query))];
}

/** Returns true if a query has enough terms to search: a word or two to continue request nothing. */
export function isSearchable(query: string): boolean {
  return queryTerms(query).length >= LEAST_TERMS;
}

/**
 * Returns true if the hits are about the query, not merely the nearest unrelated ones. An earlier prompt that repeats the query, or a title
 * that a summary took from it, answers nothing.
 */
export function answersQuery(query: string, found: readonly FoundMemory[]): boolean {
  const terms = queryTerms(query);
  if (terms.length < LEAST_TERMS) return false;
  const words = termsInParts(query);
  return found.some(({ memory, retrievers }) => {
    const text = `${memory.title}\n${memory.content}`;
    const isNear = (retrievers.vector?.score ?? 0) >= LEAST_SIMILARITY;
    // Cutting into passages costs more than the terms of a text that is not about the query.
    if (!isNear && termCover(terms, text) < LEAST_COVER) return false;
    const isPrompt = memory.type === 'prompt' && memory.kind === 'user';
    const passages = passagesOf(text);
    const rest = passages.filter(
      (passage) => !((isPrompt || isQuestion(passage.text)) && repeatsQuery(passage.terms, words)),
    );
    // The similarity is that of the question, too.
    return (
      (isNear && rest.length === passages.length) ||
      termCover(terms, rest.map((passage) => passage.text).join('\n')) >= LEAST_COVER
    );
  });
}

/** Returns the hits for a prompt, with the reason. */
export function rankedByPrompt(found: readonly Pick<TracedMemory, 'memory' | 'score' | 'stages'>[]): RankedMemory[] {
  return found.map(({ memory, score, stages }) => ({
    memory,
    // Packing compares results of one search: the ranking separates them better than their chances.
    score: stages.scored.score,
    reason: `matches the query, score ${score.toFixed(2)}`,
  }));
}

/** What was requested before a later result would rank below everything that fits a block. */
const RESULTS_WITH_REQUEST = 10;

/**
 * Inserts after each of the best results the user's request before it. Search does not find a request like "no, put it back": it has no word
 * of the question, but the answer to it has.
 */
export async function withRequests(
  read: TenantRead,
  ranked: readonly RankedMemory[],
  viewerId: string | undefined,
): Promise<readonly RankedMemory[]> {
  const best = ranked.slice(0, RESULTS_WITH_REQUEST).map(({ memory }) => memory);
  const requests = await readRequests(read, best);
  const known = new Map(ranked.map(({ memory }) => [memory.id, memory]));
  const missing = [...requests.values()].filter(({ id }) => !known.has(id));
  const refs = missing.map(({ id }) => ({ type: 'prompt' as const, id }));
  for (const memory of await readMemories(read, refs, viewerId)) known.set(memory.id, memory);
  const all = ranked.flatMap((each) => {
    const request = known.get(requests.get(each.memory.id)?.id ?? '');
    return request === undefined
      ? [each]
      : [each, { ...each, memory: request, reason: `request before what ${each.reason}` }];
  });
  return [...Map.groupBy(all, ({ memory }) => memory.id).values()].flatMap(([first]) => first ?? []);
}
