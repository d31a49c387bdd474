/** Fake secrets, generated at run time, so that no scanner reports the tests as a leak. */

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';

function madeOf(alphabet: string, length: number): string {
  let text = '';
  // Steps that share no factor with any alphabet used here: every character comes up, none in order.
  for (let at = 0; at < length; at += 1) text += alphabet[(at * 29 + 11 + (at >> 3) * 7) % alphabet.length] ?? '';
  return text;
}

export const alnum = (length: number): string => madeOf(`a7${LOWER}${LOWER.toUpperCase()}${DIGITS}`, length);
export const letters = (length: number): string => madeOf(`${LOWER}${LOWER.toUpperCase()}Q`, length);
export const lowerAlnum = (length: number): string => madeOf(`${LOWER}${DIGITS}7`, length);
export const upperAlnum = (length: number): string => madeOf(`${LOWER.toUpperCase()}${DIGITS}7`, length);
export const hex = (length: number): string => madeOf(`${DIGITS}abcdefd`, length);
export const digits = (length: number): string => madeOf('7130598264913', length);
export const uuid = (): string => [hex(8), hex(4), hex(4), hex(4), hex(12)].join('-');

/** A text with a secret and its context. */
export interface Sample {
  readonly before?: string;
  readonly secret: string;
  readonly after?: string;
}

export interface KindSamples {
  readonly kind: string;
  readonly yes: readonly Sample[];
  /** Texts that come near and hold none. */
  readonly no: readonly string[];
}
