import type { DataClass } from '../../data-classes.ts';

/** A kind of personal data: its pattern, its validation and its class. */
export interface Detector {
  readonly kind: string;
  readonly dataClass: DataClass;
  /** Global; a group named `value` marks the relevant part, one named `local` precedes the match. Every quantifier is bounded. */
  readonly pattern: RegExp;
  /** Returns true if checksum, range or context confirm it; `before` is the preceding text, at most 40 characters. */
  readonly accepts: (value: string, before: string) => boolean;
}

/** Luhn check digit of card numbers (ISO/IEC 7812-1). Digits only. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    let digit = digits.charCodeAt(digits.length - 1 - at) - 48;
    if (at % 2 === 1) {
      digit *= 2;
      if (digit > 9) digit -= 9;
    }
    sum += digit;
  }
  return sum % 10 === 0;
}

/** Remainder of a decimal number of any length. */
export function remainder(digits: string, divisor: number): number {
  let rest = 0;
  for (const digit of digits) rest = (rest * 10 + (digit.charCodeAt(0) - 48)) % divisor;
  return rest;
}

/** Sum of the digits, each times its weight. */
export function weightedSum(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * (digits.charCodeAt(at) - 48), 0);
}

/** Check digit of ISO/IEC 7064 MOD 11,10, of the German tax number. */
export function passesMod1110(digits: string): boolean {
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (digit.charCodeAt(0) - 48 + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === digits.charCodeAt(digits.length - 1) - 48;
}

const DIHEDRAL = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
  [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
  [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
  [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
  [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
  [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
  [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
  [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
  [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
] as const;
const PERMUTED = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4] as const;

/** Verhoeff's check digit over the dihedral group of order ten, of Aadhaar. */
export function passesVerhoeff(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    let digit = digits.charCodeAt(digits.length - 1 - at) - 48;
    for (let times = at % 8; times > 0; times -= 1) digit = PERMUTED[digit] ?? 0;
    sum = DIHEDRAL[sum]?.[digit] ?? 0;
  }
  return sum === 0;
}

/** Returns true for the possible birthday of a living person; two-digit years are of either century. */
export function isBirthDay(year: number, month: number, day: number): boolean {
  const centuries = year < 100 ? [1900 + year, 2000 + year] : [year];
  return centuries.some((full) => {
    const date = new Date(Date.UTC(full, month - 1, day));
    return full >= 1900 && full <= 2040 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  });
}
