import { memoryHash } from '../domain/memory.ts';
import type { MemoryType } from '../domain/ports/vector-index.ts';
import type { ContextSources } from '../stores/postgres/context-sources.ts';
import type { FoundMemory } from './search.ts';

/** Something that a context block may hold, before its tokens are counted. */
export interface ContextEntry {
  readonly id: string;
  readonly type: MemoryType;
  readonly section: number;
  readonly text: string;
  readonly value: number;
  /** Why it is offered, for people. */
  readonly reason: string;
}

/** Sections in the order of the block; a section without entries is left out. */
export const SECTIONS = ['Where the last session stopped', 'Known', 'Decided and fixed', 'Related'] as const;

const DAY_MS = 86_400_000;
/** Recency halves in this time. */
const HALF_LIFE_DAYS = 30;
/** Weights of context packing (retrieval.md): relevance 0.40 is the purpose's share, spread over what each entry has of the others. */
const WEIGHTS = { relevance: 0.4, importance: 0.25, recency: 0.2, use: 0.15 } as const;
const MAX_TEXT = 400;

/** Age in whole UTC days, so that the same memory gives the same bytes all day. */
function ageDays(at: Date, now: Date): number {
  return Math.max(0, Math.floor(now.getTime() / DAY_MS) - Math.floor(at.getTime() / DAY_MS));
}

function valueOf(parts: { relevance: number; importance: number; ageDays: number; useWeight: number }): number {
  const recency = 2 ** (-parts.ageDays / HALF_LIFE_DAYS);
  const use = Math.min(1, Math.log1p(parts.useWeight) / Math.log1p(50));
  return (
    WEIGHTS.relevance * parts.relevance +
    WEIGHTS.importance * parts.importance +
    WEIGHTS.recency * recency +
    WEIGHTS.use * use
  );
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  if (line.length <= MAX_TEXT) return line;
  const cut = line.slice(0, MAX_TEXT - 1);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), MAX_TEXT / 2)).toWellFormed()}…`;
}

/** A text without case, punctuation and spacing, for comparing. */
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

/** What a project knows, for the start of a session in it. */
export function entriesOfProject(sources: ContextSources, now: Date): ContextEntry[] {
  const entries: ContextEntry[] = [];
  sources.sessions.forEach((session, index) => {
    // The newest session matters most, and what it left open more than what it finished.
    const relevance = index === 0 ? 1 : 0.4;
    const age = ageDays(session.occurredAt, now);
    const day = session.occurredAt.toISOString().slice(0, 10);
    const lines = [
      `- ${day} ${short(session.title)} [${memoryHash(session.id)}]`,
      ...(session.completed === '' ? [] : [`  done: ${short(session.completed)}`]),
      ...(session.nextSteps === '' ? [] : [`  next: ${short(session.nextSteps)}`]),
    ];
    entries.push({
      id: session.id,
      type: 'summary',
      section: 0,
      text: lines.join('\n'),
      value: valueOf({ relevance, importance: 0.8, ageDays: age, useWeight: 0 }) * lines.length,
      reason: index === 0 ? 'newest session of the project' : 'recent session of the project',
    });
  });
  for (const learning of sources.learnings) {
    entries.push({
      id: learning.id,
      type: 'learning',
      section: 1,
      text: entryLine(`${learning.category}: `, learning.description, learning.id),
      value: valueOf({
        relevance: learning.verified ? 1 : 0.6,
        importance: learning.confidence,
        ageDays: ageDays(learning.validFrom, now),
        useWeight: learning.useWeight,
      }),
      reason: learning.verified
        ? 'verified learning of the project'
        : `learning of the project, confidence ${learning.confidence.toFixed(2)}`,
    });
  }
  const known = sources.learnings.map((learning) => ` ${plain(learning.description)} `);
  for (const item of sources.items) {
    // What a learning says already is not told twice.
    const title = plain(item.title);
    if (title !== '' && known.some((said) => said.includes(` ${title} `))) continue;
    entries.push({
      id: item.id,
      type: 'summary',
      section: 2,
      text: entryLine(`${item.kind}: `, item.title === '' ? item.content : item.title, item.id),
      value: valueOf({
        relevance: item.kind === 'decision' ? 0.6 : 0.4,
        importance: item.importance,
        ageDays: ageDays(item.occurredAt, now),
        useWeight: 0,
      }),
      reason: `${item.kind} of the project`,
    });
  }
  return entries;
}

/** What a search found for a prompt or a file. */
export function entriesOfSearch(found: readonly FoundMemory[], now: Date): ContextEntry[] {
  return found.map(({ memory, score }) => ({
    id: memory.id,
    type: memory.type,
    section: 3,
    text: entryLine(
      `${memory.kind}: `,
      [memory.title, memory.content].filter((text) => text !== '').join(' — '),
      memory.id,
    ),
    value: valueOf({
      relevance: score,
      importance: memory.importance,
      ageDays: ageDays(new Date(memory.occurredAt), now),
      useWeight: memory.useWeight,
    }),
    reason: `matches what was asked, score ${score.toFixed(2)}`,
  }));
}
