import type { Memory } from '../domain/memory.ts';
import type { RankedMemory } from './context-passages.ts';
import type { FoundMemory } from './search.ts';

const WRITERS = /^(?:Edit|MultiEdit|Write|NotebookEdit|Delete|apply_patch)$/u;
const READERS = /^(?:Read|NotebookRead|Grep|Glob|LS)$/u;

/** Returns the value of a memory before its file is read, 0–1. A mere read of the file adds nothing to its content. */
function weightOf({ type, kind, tool }: Memory): { readonly weight: number; readonly reason: string } {
  if (type === 'learning') return { weight: 1, reason: `learning (${kind}) that names the file` };
  if (type === 'summary')
    return { weight: kind === 'topic' || kind === 'session' ? 0.6 : 0.9, reason: `${kind} that names the file` };
  if (type === 'prompt')
    return {
      weight: kind === 'user' ? 0.8 : 0.5,
      reason: `mention of the file by the ${kind === 'assistant' ? 'agent' : kind}`,
    };
  if (READERS.test(tool ?? '')) return { weight: 0, reason: 'read of the file' };
  if (kind === 'error') return { weight: 0.9, reason: 'failure that names the file' };
  return WRITERS.test(tool ?? '')
    ? { weight: 0.7, reason: 'change of the file' }
    : { weight: 0.4, reason: 'call that names the file' };
}

/** Returns the name of a file without its folders. */
export function baseName(file: string): string {
  return file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
}

/** Returns the search text for a file: its path, its name, and the name without extension. */
export function fileQuery(file: string): string {
  const name = baseName(file);
  return [file, name, name.replace(/(?<=.)\.[^.]*$/u, '')].join(' ');
}

function names({ memory }: FoundMemory, name: string): boolean {
  return `${memory.title}\n${memory.content}`.toLowerCase().includes(name);
}

/** Ranks the memories of a file, newest and most valuable first: from the graph, and search hits that name it. Half of the score is relative age. */
export function rankedByFile(file: string, history: readonly Memory[], found: readonly FoundMemory[]): RankedMemory[] {
  const name = baseName(file).toLowerCase();
  const named = name === '' ? [] : found.filter((each) => names(each, name)).map((each) => each.memory);
  const all = [...new Map([...history, ...named].map((memory) => [memory.id, memory])).values()]
    .toSorted((a, b) => b.occurredAt.localeCompare(a.occurredAt) || a.id.localeCompare(b.id))
    .map((memory) => ({ memory, ...weightOf(memory) }))
    .filter(({ weight }) => weight > 0);
  return all
    .map(({ memory, weight, reason }, place) => ({ memory, score: weight * (1 - place / (2 * all.length)), reason }))
    .sort((a, b) => b.score - a.score || a.memory.id.localeCompare(b.memory.id));
}
