import { z } from 'zod';
import type { Memory } from '../../client/index.ts';
import type { Learning } from '../server/memory.ts';
import type { Summary } from '../server/memory.ts';
import { heading, short, wrap } from '../text/text-layout.ts';

/** How many learnings are shown with their evidence; the rest is counted. */
const SHOWN_LEARNINGS = 6;
const QUOTE_CHARS = 180;

function field(label: string, text: string | null): string[] {
  return text === null || text === '' ? [] : wrap(text, ' '.repeat(16), `  ${label.padEnd(14)}`);
}

/** The session summary, as people read it. */
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

/** Learnings, each with a quote of a row that proves it. */
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
    heading(`Learnings (${learnings.length}), each with a row that it came from`),
    ...lines,
    ...(rest > 0 ? [`      … and ${rest} more`] : []),
  ];
}

const retrieverSchema = z.object({ rank: z.number(), score: z.number() });

/** Where a lane of the search put a memory; a dash where it did not find it. */
function lane(name: string, explained: unknown): string {
  const score = retrieverSchema.safeParse(explained).data;
  return score === undefined ? `${name} –` : `${name} #${score.rank} (${score.score.toFixed(2)})`;
}

/** Hybrid search results with scores by lane and the passages that matched. */
export function showSearch(
  question: string,
  found: readonly Memory[],
  tookMs: number,
  degraded: readonly string[],
): string[] {
  const notes = degraded.length === 0 ? '' : `, degraded: ${degraded.join(', ')} away`;
  return [
    heading(`Hybrid search: “${question}” (${tookMs.toFixed(0)} ms${notes})`),
    ...found.flatMap((memory, index) => [
      `  ${index + 1}. ${memory.score.toFixed(3)}  ${`${memory.type}/${memory.kind}`.padEnd(24)} ${lane('keyword', memory.explain?.['keyword'])}, ${lane('vector', memory.explain?.['vector'])}`,
      ...wrap((memory.highlights[0] ?? memory.preview).replaceAll('<mark>', '[').replaceAll('</mark>', ']'), '     '),
    ]),
  ];
}

/** The block that the next session would be given. */
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
    heading(`Context for the next session in this project: ${block.tokens} tokens, ${block.omitted} entries left out`),
    ...body,
  ];
}
