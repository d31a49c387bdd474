import { isBirthDay, passesLuhn, passesMod1110, passesVerhoeff, remainder, weightedSum } from './detection.ts';
import type { Detector } from './detection.ts';

const only = (text: string) => text.replaceAll(/\D/g, '');
const restricted = (pattern: RegExp, accepts: (value: string) => boolean): Detector => ({
  kind: 'national-id',
  dataClass: 'restricted',
  pattern,
  accepts,
});
const datePart = (digits: string, from: number) =>
  [Number(digits.slice(from, from + 2)), Number(digits.slice(from + 2, from + 4))] as const;

/** United States: no check digit, but ranges that are never issued, and two numbers printed in advertisements. */
function isSocialSecurity(found: string): boolean {
  const [area = '', group = '', serial = ''] = found.split('-');
  if (area === '000' || area === '666' || area.startsWith('9') || group === '00' || serial === '0000') return false;
  return found !== '078-05-1120' && found !== '219-09-9999';
}

/** France: sex, year, month, place, order, and 97 less the remainder. */
function isFrench(found: string): boolean {
  const digits = only(found);
  const month = Number(digits.slice(3, 5));
  return (
    month >= 1 && (month <= 12 || month >= 20) && Number(digits.slice(13)) === 97 - remainder(digits.slice(0, 13), 97)
  );
}

/** Brazil's CPF: two check digits, each over the digits before it. */
function isBrazilian(found: string): boolean {
  const digits = only(found);
  if (/^(\d)\1+$/.test(digits)) return false;
  const check = (count: number) => {
    const weights = Array.from({ length: count }, (_, at) => count + 1 - at);
    return ((weightedSum(digits, weights) * 10) % 11) % 10 === Number(digits[count]);
  };
  return check(9) && check(10);
}

/** China: place, day of birth, order, ISO 7064 MOD 11-2. */
function isChinese(found: string): boolean {
  if (!isBirthDay(Number(found.slice(6, 10)), ...datePart(found, 10))) return false;
  const sum = weightedSum(found, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
  return '10X98765432'[sum % 11] === found[17];
}

/** Korea: day of birth, then sex and order with a check digit. */
function isKorean(found: string): boolean {
  const digits = only(found);
  if (!isBirthDay(Number(digits.slice(0, 2)), ...datePart(digits, 2))) return false;
  const sum = weightedSum(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
  return (11 - (sum % 11)) % 10 === Number(digits[12]);
}

/** Switzerland: an article number with the country's prefix. */
function isSwiss(found: string): boolean {
  const digits = only(found);
  return (10 - (weightedSum(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 === Number(digits[12]);
}

/** Numbers proven by form and check digits. */
export const NATIONAL_IDS: readonly Detector[] = [
  restricted(/(?<![\w.-])\d{3}-\d{2}-\d{4}(?![\w-]|\.\d)/g, isSocialSecurity),
  restricted(/(?<![\w.-])[12] ?\d{2} ?[0-9]\d ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?![\w-]|\.\d)/g, isFrench),
  restricted(/(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])/g, isBrazilian),
  restricted(/(?<![\w.-])[1-9]\d{5}(?:19|20)\d{9}[\dX](?![\w-])/g, isChinese),
  restricted(/(?<![\w.-])\d{6}-[1-8]\d{6}(?![\w-])/g, isKorean),
  restricted(/(?<![\w.-])756\.\d{4}\.\d{4}\.\d{2}(?![\w-])/g, isSwiss),
];

const NEAR = String.raw`[\w .:=#"'()\\-]{0,24}?`;
const named = (words: string, form: string, accepts: (value: string) => boolean): Detector =>
  restricted(
    new RegExp(`(?<![A-Za-z])(?:${words})(?![A-Za-z])${NEAR}(?<![A-Za-z0-9])(?<value>${form})(?![A-Za-z0-9])`, 'gi'),
    accepts,
  );

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';
const FISCAL_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** Italy: letters and digits weighted by position. */
function isItalian(found: string): boolean {
  const text = found.toUpperCase();
  let sum = 0;
  for (let at = 0; at < 15; at += 1) {
    const unit = text.charCodeAt(at);
    const value = unit < 65 ? unit - 48 : unit - 65;
    sum += at % 2 === 0 ? (FISCAL_ODD[value] ?? 0) : value;
  }
  return text.charCodeAt(15) - 65 === sum % 26;
}

/** Spain: the letter is the number's remainder; foreigners have a leading letter for a digit. */
function isSpanish(found: string): boolean {
  const text = found.toUpperCase().replaceAll(/[ -]/g, '');
  const digits = text.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)));
  return DNI_LETTERS[Number(digits) % 23] === text.at(-1);
}

function isPolish(found: string): boolean {
  return (10 - (weightedSum(found, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(found[10]);
}

/** Ambiguous numbers: only after their name. The words are also hints of the scanner. */
export const NAMED_NATIONAL_IDS: readonly { readonly hints: readonly string[]; readonly detector: Detector }[] = [
  {
    hints: ['steuer', 'idnr', 'tax id'],
    detector: named(
      'steuer-?id(?:entifikationsnummer|nr)?|steuernummer|idnr|tax id',
      '[1-9]\\d ?\\d{3} ?\\d{3} ?\\d{3}',
      (value) => passesMod1110(only(value)),
    ),
  },
  { hints: ['|dni', '|nie', '|nif'], detector: named('dni|nie|nif', '[XYZ]?[ -]?\\d{7,8}[ -]?[A-Z]', isSpanish) },
  {
    hints: ['fiscale'],
    detector: named('codice fiscale', '[A-Z]{6}\\d{2}[A-EHLMPRST]\\d{2}[A-Z]\\d{3}[A-Z]', isItalian),
  },
  { hints: ['|pesel'], detector: named('pesel', '\\d{11}', isPolish) },
  {
    hints: ['aadhaar', 'aadhar'],
    detector: named('aadhaa?r', '[2-9]\\d{3} ?\\d{4} ?\\d{4}', (value) => passesVerhoeff(only(value))),
  },
  {
    hints: ['|bsn', 'burgerservice'],
    detector: named(
      'bsn|burgerservicenummer',
      '\\d{9}',
      (value) => weightedSum(value, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
    ),
  },
  {
    hints: ['personnummer'],
    detector: named('personnummer', '(?:19|20)?\\d{6}[-+]?\\d{4}', (value) => passesLuhn(only(value).slice(-10))),
  },
  {
    hints: ['social insurance', '|sin'],
    detector: named('social insurance number|sin', '\\d{3}[ -]?\\d{3}[ -]?\\d{3}', (value) => passesLuhn(only(value))),
  },
  {
    hints: ['national insurance', '|nino'],
    detector: named(
      'national insurance|nino',
      '(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]',
      () => true,
    ),
  },
];
