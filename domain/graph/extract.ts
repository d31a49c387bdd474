import { errorNames, namesIn } from '../learning/compare.ts';
import type { Evidence, ItemKind, LearningCategory } from '../ports/model.ts';
import { createGraphBuilder } from './graph.ts';
import type { EntityType, GraphBuilder, Mention, SessionGraph } from './graph.ts';
import { conceptTags, fileLabel, programsOf, toolLabel } from './names.ts';

/** A tool call of the session, without its output. Its files come from its input. */
export interface GraphCall {
  readonly id: string;
  readonly tool: string | null;
  /** The command line of a program run. */
  readonly command: string | null;
  readonly filesRead: readonly string[];
  readonly filesModified: readonly string[];
  readonly occurredAtMs: number;
}

/** A failed row, with the start of its message. */
export interface GraphFailure {
  readonly id: string;
  readonly content: string;
  readonly occurredAtMs: number;
}

/** A message of the user or the agent. */
export interface GraphPrompt {
  readonly id: string;
  readonly content: string;
  readonly occurredAtMs: number;
}

/** An item or a learning of the session. */
export interface GraphNote {
  readonly id: string;
  readonly source: 'summary' | 'learning';
  readonly kind: ItemKind | LearningCategory;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
  readonly evidence: readonly Evidence[];
  readonly occurredAtMs: number;
}

export interface GraphInput {
  readonly projectName: string | null;
  /** The project's root folders on its machines. */
  readonly roots: readonly string[];
  readonly calls: readonly GraphCall[];
  readonly failures: readonly GraphFailure[];
  readonly prompts: readonly GraphPrompt[];
  readonly notes: readonly GraphNote[];
}

/** Most related names of one note: more would make every note a clique. */
const MAX_RELATED = 6;
/** Code names in fewer prompts and notes are no concepts of the project. */
const REPEATED = 2;
/** Only the start of a prompt is read: it names the subject. */
const PROMPT_CHARACTERS = 4_000;

/**
 * Extracts a session's part of the graph by rules. Files come from tool inputs, tools from tool names and commands, errors by name or code;
 * solutions are fixes and solution learnings; concepts are tags and code that several prompts or notes name. Deterministic.
 */
export function extractGraph(input: GraphInput): SessionGraph {
  const builder = createGraphBuilder();
  const projectOf = (mention: Mention) =>
    input.projectName === null ? null : builder.mention('project', input.projectName, mention);
  const modifiedBy = new Map<string, readonly string[]>();
  for (const call of input.calls) {
    const mention: Mention = {
      sourceType: 'observation',
      sourceId: call.id,
      quote: null,
      occurredAtMs: call.occurredAtMs,
    };
    const labels = (paths: readonly string[]) => paths.flatMap((path) => fileLabel(path, input.roots) ?? []);
    modifiedBy.set(call.id, labels(call.filesModified));
    // Changed files come first: of many files they matter most.
    for (const file of [...labels(call.filesModified), ...labels(call.filesRead)])
      builder.relate('part_of', builder.mention('file', file, mention), projectOf(mention), mention);
    const tool = call.tool === null ? null : toolLabel(call.tool);
    for (const label of [...(tool === null ? [] : [tool]), ...programsOf(call.command ?? '')])
      builder.relate('uses', projectOf(mention), builder.mention('tool', label, mention), mention);
  }
  for (const failure of input.failures)
    for (const name of errorNames(failure.content))
      builder.mention('error', name, {
        sourceType: 'observation',
        sourceId: failure.id,
        quote: lineWith(failure.content, name),
        occurredAtMs: failure.occurredAtMs,
      });
  const namedPrompts = input.prompts.map((prompt) => ({
    ...prompt,
    names: namesIn(prompt.content.slice(0, PROMPT_CHARACTERS)),
  }));
  const repeated = repeatedNames([
    ...namedPrompts.map((prompt) => prompt.names),
    ...input.notes.map((note) => namesIn(`${note.title}\n${note.text}`)),
  ]);
  const files = new Set([...modifiedBy.values()].flat());
  for (const note of input.notes) addNote(builder, note, { repeated, files, modifiedBy });
  for (const prompt of namedPrompts)
    for (const name of prompt.names)
      if (repeated.has(name))
        builder.mention('concept', name, {
          sourceType: 'prompt',
          sourceId: prompt.id,
          quote: lineWith(prompt.content, name),
          occurredAtMs: prompt.occurredAtMs,
        });
  return builder.build();
}

interface NoteContext {
  readonly repeated: ReadonlySet<string>;
  /** Labels of files that a tool changed in the session. */
  readonly files: ReadonlySet<string>;
  readonly modifiedBy: ReadonlyMap<string, readonly string[]>;
}

function addNote(builder: GraphBuilder, note: GraphNote, { repeated, files, modifiedBy }: NoteContext): void {
  const noteText = [note.title, note.text, ...note.evidence.map((piece) => piece.quote)].join('\n');
  const mentionOf = (name: string): Mention => ({
    sourceType: note.source,
    sourceId: note.id,
    quote: note.evidence.find((piece) => piece.quote.toLowerCase().includes(name.toLowerCase()))?.quote ?? null,
    occurredAtMs: note.occurredAtMs,
  });
  const place = (type: EntityType, label: string) => builder.mention(type, label, mentionOf(label));
  const own: Mention = { ...mentionOf(''), quote: note.evidence[0]?.quote ?? null };
  const errors = errorNames(noteText).flatMap((name) => place('error', name) ?? []);
  const names = namesIn(noteText);
  const errorsByName = new Set(errorNames(noteText).map((name) => name.toLowerCase()));
  const concepts = [
    ...conceptTags(note.tags).filter((tag) => !errorsByName.has(tag.toLowerCase())),
    ...[...names].filter((name) => repeated.has(name) && !errorsByName.has(name)),
  ].flatMap((label) => place('concept', label) ?? []);
  // A file named in a note counts only if a tool changed it: by the cited call, or by its name.
  const cited = note.evidence.flatMap((piece) => modifiedBy.get(piece.rowId) ?? []);
  const named = [...files].filter((file) => names.has(file.slice(file.lastIndexOf('/') + 1).toLowerCase()));
  const changed = [...new Set([...cited, ...named])].flatMap((file) => place('file', file) ?? []);
  if (note.kind === 'bugfix' || note.kind === 'solution') {
    const solution = builder.mention('solution', note.title, own);
    for (const error of errors) builder.relate('solves', solution, error, own);
    for (const error of errors) for (const file of changed) builder.relate('causes', file, error, own);
    for (const concept of concepts.slice(0, MAX_RELATED)) builder.relate('related_to', solution, concept, own);
  }
  if (note.kind === 'error' || note.kind === 'discovery')
    for (const error of errors) for (const concept of concepts) builder.relate('causes', concept, error, own);
  const related = [...new Set([...errors, ...concepts, ...changed])].slice(0, MAX_RELATED);
  for (const [index, left] of related.entries())
    for (const right of related.slice(index + 1)) builder.relate('related_to', left, right, own);
}

/** Returns code names of several sources; files and errors have their own entity types. */
function repeatedNames(sources: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const names of sources) for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const repeated = [...counts].filter(([name, count]) => count >= REPEATED && !isFile(name) && !isError(name));
  return new Set(repeated.map(([name]) => name));
}

function isError(name: string): boolean {
  return /(?:error|exception)$|^(?:e[a-z]{4,}|ts\d{4,5})$/u.test(name);
}

function isFile(name: string): boolean {
  return /\.[a-z0-9]{1,6}$/u.test(name) || name.includes('/');
}

/** Returns the trimmed line with the name, ignoring case; null if there is none. */
function lineWith(content: string, name: string): string | null {
  const at = content.toLowerCase().indexOf(name.toLowerCase());
  if (at === -1) return null;
  const start = content.lastIndexOf('\n', at) + 1;
  const end = content.indexOf('\n', at);
  const line = content.slice(start, end === -1 ? content.length : end).trim();
  return line === '' ? null : line;
}
