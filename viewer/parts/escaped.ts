/** A part of captured text: as it is, highlighted, or a character that has no shape or reorders others. */
export interface TextPart {
  readonly text: string;
  readonly kind: 'plain' | 'marked' | 'escaped';
}

/** A highlighted range in UTF-16 units; the end is exclusive. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Control characters except tab and line feed, and format characters: those that set the direction of text, or have no shape. Joiners stay:
 * scripts and emoji need them. A lone surrogate is no character.
 */
const UNSHOWN =
  /[\p{Cc}--[\t\n]]|[\p{Cf}--[\u200c-\u200d\u00ad\u0600-\u0605\u06dd\u070f\u08e2\u{e0020}-\u{e007f}]]|[\u2028\u2029\u115f\u1160\u3164\uffa0]|\p{Cs}/gv;

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function addShown(parts: TextPart[], text: string, kind: 'plain' | 'marked'): void {
  let from = 0;
  for (const match of text.matchAll(UNSHOWN)) {
    if (match.index > from) parts.push({ text: text.slice(from, match.index), kind });
    parts.push({ text: codeOf(match[0]), kind: 'escaped' });
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), kind });
}

/** Returns captured text in parts to show, with highlights. Ranges outside the text, and those that overlap others, are cut. */
export function partsOf(text: string, ranges: readonly TextRange[] = []): readonly TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const start = Math.min(Math.max(range.start, from), text.length);
    const end = Math.min(range.end, text.length);
    if (end <= start) continue;
    addShown(parts, lines(text.slice(from, start)), 'plain');
    addShown(parts, lines(text.slice(start, end)), 'marked');
    from = end;
  }
  addShown(parts, lines(text.slice(from)), 'plain');
  return parts;
}

/** CRLF is one end of a line. */
function lines(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
