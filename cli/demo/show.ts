import { z } from 'zod';
import type { Memory } from '../../client/index.ts';
import type { Learning } from '../../contract/learnings.ts';
import type { Summary } from '../../contract/sessions.ts';
import { heading, short, wrap } from '../text/text-layout.ts';

/** Maximum of learnings shown; the others are counted. */
const SHOWN_LEARNINGS = 6;
const QUOTE_CHARS = 180;

function field(label: string, text: string | null): string[] {
  return text === null || text === '' ? [] : wrap(text, ' '.repeat(16), `  ${label.padEnd(14)}`);
}

/** Returns the session summary as lines. */
export function showSummary(summaries: readonly Summary[]): string[] {
  const own = summaries.find((summary) => summary.type === 'session');
  if (own === undefined) return [heading('Session summary'), '  (none)'];
  const items = summaries.filter((summary) => summary.type === 'item');
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item.kind ?? 'item', (counts.get(item.kind ?? 'item') ?? 0) + 1);
  return [
    heading('Session summary'),
    ...wrap(own.title, '  '),
    ...field('request', own.request),
    ...field('investigated', own.investigated),
    ...field('learned', own.learned),
    ...field('completed', own.completed),
    ...field('next steps', own.next_steps),
    ...field('notes', own.notes),
    ...field('changed', own.files_modified.join(', ')),
    ...field('items', [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ')),
  ];
}

/** Returns learnings as lines, each with a quote of its evidence. */
export function showLearnings(learnings: readonly Learning[]): string[] {
  const lines = learnings.slice(0, SHOWN_LEARNINGS).flatMap((learning) => {
    const [first] = learning.evidence;
    return [
      ...wrap(learning.description, '      ', `  ${learning.confidence.toFixed(2)}  ${learning.category}: `),
      ...(first === undefined || first.quote === null
        ? []
        : wrap(`“${short(first.quote, QUOTE_CHARS)}” (row ${first.row_id.slice(-8)})`, '        ', '      ← ')),
    ];
  });
  const rest = learnings.length - SHOWN_LEARNINGS;
  return [
    heading(`Learnings (${learnings.length}), each with evidence`),
    ...lines,
    ...(rest > 0 ? [`      … and ${rest} more`] : []),
  ];
}

const retrieverSchema = z.object({ rank: z.number(), score: z.number() });

/** Returns rank and score of a memory in a retriever; a dash if not found. */
function retriever(name: string, explained: unknown): string {
  const score = retrieverSchema.safeParse(explained).data;
  return score === undefined ? `${name} –` : `${name} #${score.rank} (${score.score.toFixed(2)})`;
}

/** Characters around the first match. */
const AROUND = 80;

/** Returns the text around the first match, each match in square brackets; the preview without matches. */
function passageOf(memory: Memory): string {
  const [first] = memory.highlights;
  if (first === undefined) return memory.preview;
  const text = memory[first.field];
  const from = Math.max(0, first.start - AROUND);
  const to = Math.min(text.length, first.end + AROUND);
  let shown = '';
  let at = from;
  for (const { field, start, end } of memory.highlights) {
    if (field !== first.field || end > to) continue;
    shown += `${text.slice(at, start)}[${text.slice(start, end)}]`;
    at = end;
  }
  return `${from > 0 ? '…' : ''}${shown}${text.slice(at, to)}${to < text.length ? '…' : ''}`.toWellFormed();
}

/** Returns search results with scores by retriever and matching passages. */
export function showSearch(
  question: string,
  found: readonly Memory[],
  tookMs: number,
  degraded: readonly string[],
): string[] {
  const notes = degraded.length === 0 ? '' : `, without: ${degraded.join(', ')}`;
  return [
    heading(`Hybrid search: “${question}” (${tookMs.toFixed(0)} ms${notes})`),
    ...found.flatMap((memory, index) => [
      `  ${index + 1}. ${memory.score.toFixed(3)}  ${`${memory.type}/${memory.kind}`.padEnd(24)} ${retriever('keyword', memory.explain?.['keyword'])}, ${retriever('vector', memory.explain?.['vector'])}`,
      ...wrap(passageOf(memory), '     '),
    ]),
  ];
}

/** Returns the context block of the next session. */
export function showContext(block: {
  readonly text: string;
  readonly tokens: number;
  readonly omitted: number;
}): string[] {
  const body = block.text
    .split('\n')
    .flatMap((line) =>
      wrap(line, line.startsWith('- ') || line.startsWith('  ') ? '    ' : '  ', line.startsWith('  ') ? '    ' : '  '),
    );
  return [
    heading(`Context for the next session in this project: ${block.tokens} tokens, ${block.omitted} entries omitted`),
    ...body,
  ];
}
