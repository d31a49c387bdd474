import type { Learning, LearningDetail } from '../server/memory.ts';
import { wrap } from './text-layout.ts';
import { table } from '../output.ts';
import { terminalText } from './terminal-text.ts';
import { ago, short } from './time-text.ts';

const TEXT_CHARS = 90;
const PROJECT_CHARS = 20;
const SHOWN_QUOTES = 10;

/** Returns closed, verified, manual (stored by a user) or `-`. */
function stateOf(learning: Learning): string {
  if (learning.valid_to !== null) return 'closed';
  if (learning.verified) return 'verified';
  return learning.origin === 'user' ? 'manual' : '-';
}

/** Returns learnings as a table. */
export function learningTable(learnings: readonly Learning[], now: number): string {
  const head = ['LEARNING', 'PROJECT', 'CATEGORY', 'CONFIDENCE', 'USED', 'STATE', 'SINCE', 'DESCRIPTION'];
  const rows = learnings.map((learning) => [
    learning.id,
    short(terminalText(learning.project?.name ?? '-'), PROJECT_CHARS),
    learning.category,
    learning.confidence.toFixed(2),
    String(learning.use_count),
    stateOf(learning),
    ago(learning.valid_from, now),
    short(terminalText(learning.description), TEXT_CHARS),
  ]);
  return table([head, ...rows]);
}

function interval(from: string, to: string | null): string {
  return `${from.slice(0, 16).replace('T', ' ')} ${to === null ? 'until now' : `to ${to.slice(0, 16).replace('T', ' ')}`}`;
}

/** Returns a learning with evidence and versions. */
export function learningText(learning: LearningDetail): string {
  const facts = [
    learning.category,
    ...(learning.project === null ? [] : [learning.project.name]),
    `confidence ${learning.confidence.toFixed(2)}`,
    `used ${learning.use_count} times`,
    ...(learning.verified ? [`verified${learning.verify_note === null ? '' : ` (${learning.verify_note})`}`] : []),
    ...(learning.origin === 'user' ? ['stored manually'] : []),
  ];
  const quotes = learning.evidence.slice(0, SHOWN_QUOTES);
  const more = learning.evidence.length - quotes.length;
  const lines = [
    learning.title,
    facts.join(', '),
    interval(learning.valid_from, learning.valid_to),
    ...(learning.valid_to === null ? [] : [`closed: ${learning.reason ?? 'no reason given'}`]),
    ...(learning.superseded_by === null ? [] : [`superseded by: ${learning.superseded_by}`]),
    '',
    ...wrap(learning.description, '  '),
    ...(learning.context === '' ? [] : wrap(learning.context, '  ')),
    ...learning.examples.flatMap((example) => wrap(example, '      ', '    e.g. ')),
    ...(quotes.length === 0 ? [] : ['', 'Evidence']),
    ...quotes.flatMap(({ quote, row_id: row }) =>
      wrap(quote === null ? `of another user (row ${row})` : `“${quote}” (row ${row})`, '    ', '  - '),
    ),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(learning.versions.length < 2 ? [] : ['', 'Versions']),
    ...(learning.versions.length < 2 ? [] : learning.versions).flatMap((version) =>
      wrap(
        `${version.version}, ${interval(version.valid_from, version.valid_to)}${version.reason === null ? '' : `, ${version.reason}`}: ${version.description}`,
        '    ',
        '  - ',
      ),
    ),
  ];
  return `${terminalText(lines.join('\n'))}\n`;
}
