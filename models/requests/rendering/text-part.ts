import { verbatimHead } from '../../../domain/text/clean.ts';
import { bothEnds } from './excerpt.ts';
import type { Part } from './parts.ts';

/** Slightly below English's average, so that a first estimate is rarely too small. */
const CHARACTERS_PER_TOKEN = 3.6;
const WIDE_CHARACTERS_PER_TOKEN = 1.3;
const LEAST_LINE_TOKENS = 10;

/** Counts a quarter of a token per character, and more for scripts without spaces. */
export function tokensOfText(text: string): number {
  return Math.ceil(text.length / charactersPerToken(text));
}

function charactersPerToken(text: string): number {
  const sample = text.slice(0, 400);
  const wide = sample.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0;
  return wide > sample.length / 4 ? WIDE_CHARACTERS_PER_TOKEN : CHARACTERS_PER_TOKEN;
}

/** Limits of a part; floor and cap are tokens. */
export interface Limits {
  readonly weight: number;
  readonly cap: number;
  readonly floor: number;
}

/** A text that is not a row: the preceding request, an unusable response. */
export function textPart(label: string, text: string, limits: Limits & { readonly headShare?: number }): Part {
  const perToken = charactersPerToken(text);
  return {
    ...limits,
    label,
    when: '',
    wants: tokensOfText(text),
    // The cap is absolute: text beside the rows never uses their tokens.
    show: (tokens) => bothEnds(text, Math.min(tokens, limits.cap) * perToken, limits.headShare ?? 0.7),
  };
}

/** Lines in order of importance: as many as fit, each within its own limit. */
export function linesPart(label: string, lines: readonly string[], limits: Limits): Part {
  return {
    ...limits,
    label,
    when: '',
    wants: lines.reduce((sum, line) => sum + tokensOfText(line), 0),
    show: (tokens) => {
      const shown: string[] = [];
      let used = 0;
      for (const line of lines) {
        const size = tokensOfText(line);
        const space = tokens - used;
        if (size > space) {
          // Cut at the end, where a quote is: the start of a quote is valid too.
          if (space >= LEAST_LINE_TOKENS || shown.length === 0)
            shown.push(verbatimHead(line, Math.floor(space * charactersPerToken(line))));
          break;
        }
        shown.push(line);
        used += size;
      }
      return shown.join('\n');
    },
  };
}
