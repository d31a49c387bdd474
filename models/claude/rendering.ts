import { createHash } from 'node:crypto';
import type {
  CitedText,
  Evidence,
  LearningInput,
  SessionInput,
  SourceRow,
  StoredItem,
  StoredTopic,
  WindowInput,
} from '../../domain/ports/model.ts';
import { verbatimHead, verbatimTail } from '../../domain/text/clean.ts';

/** A request's variable part, and the way back from its short ids. */
export interface Rendering {
  readonly text: string;
  /** The stored row's id for a short id; an id that was never given out comes back as it is, so that grounding drops it. */
  readonly rowId: (shortId: string) => string;
}

/** A longer row is shown at both ends: megabytes of output say little more, and quotes of what is shown still stand. */
const MAX_ROW_CHARACTERS = 24_000;
const FENCE_DIGITS = 12;

/** Short ids for row ids, in the order in which they are asked for: a UUID costs some twenty tokens, "R12" two. */
class ShortIds {
  readonly #short = new Map<string, string>();
  readonly #rows = new Map<string, string>();

  shortOf(rowId: string): string {
    const known = this.#short.get(rowId);
    if (known !== undefined) return known;
    const short = `R${String(this.#short.size + 1)}`;
    this.#short.set(rowId, short);
    this.#rows.set(short, rowId);
    return short;
  }

  readonly rowOf = (short: string): string => this.#rows.get(short.trim()) ?? short;
}

/** The rows of a window, fenced as data. */
export function renderWindow(input: WindowInput): Rendering {
  const ids = new ShortIds();
  return fenced(ids, (mark) => [
    ...projectLine(input.projectName),
    ...(input.precedingRequest === null ? [] : [block(mark, 'what the user had asked before', input.precedingRequest)]),
    ...input.rows.map((row) => renderRow(mark, ids, row)),
  ]);
}

/** Prompts, topics and items of a session, fenced as data. */
export function renderSession(input: SessionInput): Rendering {
  const ids = new ShortIds();
  return fenced(ids, (mark) => [
    ...projectLine(input.projectName),
    ...input.prompts.map((row) => renderRow(mark, ids, row)),
    ...storedBlocks(mark, ids, input.topics, input.items),
  ]);
}

/** As {@link renderSession}, with the rows that a learning may quote among the prompts, in reading order. */
export function renderLearnings(input: LearningInput): Rendering {
  const ids = new ShortIds();
  const byId = new Map([...input.prompts, ...input.rows].map((row) => [row.id, row]));
  const rows = [...byId.values()].sort((a, b) => a.seq - b.seq);
  return fenced(ids, (mark) => [
    ...projectLine(input.projectName),
    ...rows.map((row) => renderRow(mark, ids, row)),
    ...storedBlocks(mark, ids, input.topics, input.items),
  ]);
}

/**
 * Builds the text with a mark that the recorded text cannot hold: it is a digest of that very text, so that nobody can write
 * the closing mark into a prompt or a file beforehand. The same input gives the same mark.
 */
function fenced(ids: ShortIds, build: (mark: string) => readonly string[]): Rendering {
  const digest = createHash('sha256').update(build('').join('\n')).digest('hex').slice(0, FENCE_DIGITS);
  return { text: build(digest).join('\n'), rowId: ids.rowOf };
}

function block(mark: string, label: string, content: string): string {
  return `<<${mark} ${label}>>\n${bothEnds(content)}\n<</${mark}>>`;
}

function renderRow(mark: string, ids: ShortIds, row: SourceRow): string {
  const kind =
    row.role === 'prompt' ? `${row.type} prompt` : row.tool === null ? row.type : `${row.type} of ${oneWord(row.tool)}`;
  return block(mark, `${ids.shortOf(row.id)} ${kind} ${row.occurredAt}`, row.content);
}

function storedBlocks(
  mark: string,
  ids: ShortIds,
  topics: readonly StoredTopic[],
  items: readonly StoredItem[],
): readonly string[] {
  return [
    ...topics.map((topic) =>
      block(
        mark,
        'summary of a window',
        [
          topic.title,
          topic.content,
          ...points(ids, 'Key point', topic.keyPoints),
          ...points(ids, 'To do', topic.actionItems),
        ].join('\n'),
      ),
    ),
    ...items.map((item) =>
      block(mark, `item ${item.kind}`, [item.title, item.content, ...quotes(ids, item.evidence)].join('\n')),
    ),
  ];
}

function points(ids: ShortIds, label: string, texts: readonly CitedText[]): readonly string[] {
  return texts.flatMap(({ text, evidence }) => [`${label}: ${text}`, ...quotes(ids, evidence)]);
}

function quotes(ids: ShortIds, evidence: readonly Evidence[]): readonly string[] {
  return evidence.map(({ rowId, quote }) => `  ${ids.shortOf(rowId)}: ${quote}`);
}

function projectLine(name: string | null): readonly string[] {
  return name === null ? [] : [`Project: ${JSON.stringify(verbatimHead(name, 200))}`];
}

/** Tool names come from outside: one short word, so that they cannot close a mark. */
function oneWord(tool: string): string {
  return tool.replaceAll(/[^\p{L}\p{N}_.:-]/gu, '').slice(0, 60);
}

function bothEnds(content: string): string {
  if (content.length <= MAX_ROW_CHARACTERS) return content;
  const half = MAX_ROW_CHARACTERS / 2;
  const left = content.length - MAX_ROW_CHARACTERS;
  return `${verbatimHead(content, half)}\n[${String(left)} characters left out]\n${verbatimTail(content, half)}`;
}
