import type { TextRange } from '../../parts/escaped.ts';

export interface Excerpt {
  readonly text: string;
  readonly ranges: readonly TextRange[];
}

/** UTF-16 units before the first highlight. */
const LEAD = 90;

/** Returns the start of the character at a place. */
function characterStart(text: string, at: number): number {
  return /[\uDC00-\uDFFF]/.test(text[at] ?? '') ? at - 1 : at;
}

/** Returns at most `most` units of a text around its first highlight, with the highlights in it. */
export function excerptOf(text: string, ranges: readonly TextRange[], most: number): Excerpt {
  if (text.length <= most) return { text, ranges };
  const first = Math.min(...ranges.map(({ start }) => start), text.length);
  const from =
    first === text.length || first <= LEAD ? 0 : characterStart(text, Math.min(first - LEAD, text.length - most));
  const to = characterStart(text, Math.min(text.length, from + most));
  const lead = from > 0 ? '…' : '';
  const shift = lead.length - from;
  return {
    text: `${lead}${text.slice(from, to)}${to < text.length ? '…' : ''}`,
    ranges: ranges
      .filter(({ start, end }) => start >= from && end <= to)
      .map(({ start, end }) => ({ start: start + shift, end: end + shift })),
  };
}
