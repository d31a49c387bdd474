import { z } from 'zod';
import './issue-text.ts';

/**
 * Pattern of a character that is no white space for any tool, and none of `others`: JavaScript counts U+FEFF as white space, others U+0085 and
 * U+001C to U+001F.
 */
export function shown(others = ''): string {
  return String.raw`[^${others}\s\x1c-\x1f\x85\ufeff]`;
}

/** True where a text has at least `least` and at most `most` code points, which JSON Schema counts; JavaScript counts halves of pairs. */
function isWithin(text: string, least: number, most: number): boolean {
  const units = text.length;
  if (units < least || units > most * 2) return false;
  if (units <= most && units >= least * 2) return true;
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters >= least && characters <= most;
}

/** Text of a request, of so many characters. `unit`: what its limit is, in other words. */
export function text(most: number, least = 1, unit = 'characters') {
  const range = least === 0 ? `at most ${most}` : `${least} to ${most}`;
  return z
    .string()
    .refine((given) => isWithin(given, least, most), { abort: true, error: `must have ${range} ${unit}` })
    .meta({ ...(least > 0 && { minLength: least }), maxLength: most });
}

/** Returns a schema of trimmed text that contains a visible character. */
export function line(most: number, unit?: string) {
  return text(most, 1, unit).regex(new RegExp(shown(), 'u'), 'must contain a visible character').trim();
}
