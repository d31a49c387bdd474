import { verbatimHead } from '../../../domain/text/clean.ts';
import { bothEnds } from './excerpt.ts';
import type { Part } from './parts.ts';

/** A little more than English needs, so that a first estimate is rarely too small. */
const CHARACTERS_PER_TOKEN = 3.6;
const WIDE_CHARACTERS_PER_TOKEN = 1.3;
const LEAST_LINE_TOKENS = 10;

/** A quarter of a token and more for letters of scripts without spaces. */
export function tokensOfText(text: string): number {
  return Math.ceil(text.length / charactersPerToken(text));
}

function charactersPerToken(text: string): number {
  const sample = text.slice(0, 400);
  const wide = sample.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0;
  return wide > sample.length / 4 ? WIDE_CHARACTERS_PER_TOKEN : CHARACTERS_PER_TOKEN;
}

/** As of a part; the floor and the cap are tokens. */
export interface Limits {
  readonly weight: number;
  readonly cap: number;
  readonly floor: number;
}

/** A text that is no row: what was asked before, an answer that cannot be used. */
export function textPart(label: string, text: string, limits: Limits & { readonly headShare?: number }): Part {
  const perToken = charactersPerToken(text);
  return {
    ...limits,
    label,
    when: '',
    wants: tokensOfText(text),
    // The cap is a limit here: what stands beside the rows never takes what is left of their room.
    show: (tokens) => bothEnds(text, Math.min(tokens, limits.cap) * perToken, limits.headShare ?? 0.7),
  };
}

/** Lines in the order of what they say: as many as there is room for, each within its own bound. */
export function linesPart(label: string, lines: readonly string[], limits: Limits): Part {
  return {
    ...limits,
    label,
    when: '',
    wants: lines.reduce((sum, line) => sum + tokensOfText(line), 0),
    show: (tokens) => {
      const kept: string[] = [];
      let used = 0;
      for (const line of lines) {
        const size = tokensOfText(line);
        const room = tokens - used;
        if (size > room) {
          // Cut at its end, where a quote stands: the beginning of a quote is one too.
          if (room >= LEAST_LINE_TOKENS || kept.length === 0)
            kept.push(verbatimHead(line, Math.floor(room * charactersPerToken(line))));
          break;
        }
        kept.push(line);
        used += size;
      }
      return kept.join('\n');
    },
  };
}
