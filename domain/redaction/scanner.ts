/**
 * One pass over a text that selects the patterns worth trying. A pattern costs about a microsecond per kilobyte, and there are over a
 * hundred: so each names texts of which every match contains one, and this pass finds all of them at once.
 */

/**
 * A text that every match of a group contains. `#` is any digit, `?` any character, a leading `|` the start of a word. Three adjacent
 * characters must be literal or digits.
 */
export interface HintGroup {
  readonly hints: readonly string[];
  /** The group's pattern ignores case. */
  readonly anyCase: boolean;
}

export interface Findings {
  /** Indexes of the groups with a found hint, ascending. */
  readonly groups: readonly number[];
  /** At least nine digits with only separators between them: a phone, a card, an account. */
  readonly longNumber: boolean;
  /** Three nearby dots, as in an address. */
  readonly ipv4: boolean;
  /** Three nearby colons, as in an address. */
  readonly ipv6: boolean;
  /** Six characters between two dots, as in a Discord token. */
  readonly sixBetweenDots: boolean;
}

interface Hint {
  readonly group: number;
  readonly text: string;
  readonly anyCase: boolean;
  readonly wordStart: boolean;
  /** Distance from the hint's start to the end of its looked-up trigram, in characters. */
  readonly back: number;
}

/** Bits of a character's code: letters without case, one code for digits, one for each symbol of hints. */
const CODE_BITS = 6;
const CODE = (1 << CODE_BITS) - 1;
const HASH_BITS = 3 * CODE_BITS;
const HASH_MASK = (1 << HASH_BITS) - 1;
const DIGIT = 27;
const SYMBOLS = '_-.:/=<[$@~; "()+';
/** Flags above the code for characters that the pass counts. */
const IS_DIGIT = 64;
const IS_DOT = 128;
const IS_COLON = 256;
const NUMBER_SEPARATORS = ' .-()+/';
const LONG_NUMBER_DIGITS = 9;

const UNITS = new Uint16Array(128);
for (let unit = 33; unit < 127; unit += 1) UNITS[unit] = CODE;
for (let letter = 1; letter <= 26; letter += 1) {
  UNITS[64 + letter] = letter;
  UNITS[96 + letter] = letter;
}
for (let unit = 48; unit < 58; unit += 1) UNITS[unit] = DIGIT | IS_DIGIT;
for (const [at, symbol] of SYMBOLS.split('').entries()) {
  const counted = symbol === '.' ? IS_DOT : symbol === ':' ? IS_COLON : 0;
  UNITS[symbol.charCodeAt(0)] = (DIGIT + 1 + at) | counted;
}

/** Rarity of characters in prose and code: a hint is found by its rarest trigram. */
const RARITY: Readonly<Record<string, number>> = {
  ...Object.fromEntries('etaoinsrlcdupmhgfbwyvkxjqz'.split('').map((letter, at) => [letter, at / 3])),
  ...Object.fromEntries('#_-./: '.split('').map((symbol) => [symbol, 1.5])),
};

function codeOf(symbol: string): number {
  return symbol === '#' ? DIGIT : (UNITS[symbol.charCodeAt(0)] ?? 0) & CODE;
}

function rarity(symbol: string): number {
  return RARITY[codeOf(symbol) === DIGIT ? '#' : symbol.toLowerCase()] ?? 4;
}

/** Returns the start of the hint's rarest trigram. @throws RangeError for a hint without one */
function lookedUp(hint: string): number {
  let best = -1;
  let bestRarity = -1;
  for (let at = 0; at + 3 <= hint.length; at += 1) {
    const three = hint.slice(at, at + 3);
    const sum = rarity(three.charAt(0)) + rarity(three.charAt(1)) + rarity(three.charAt(2));
    if (three.includes('?') || sum <= bestRarity) continue;
    best = at;
    bestRarity = sum;
  }
  if (best < 0) throw new RangeError(`the hint ${hint} has no three adjacent literal characters; extend it`);
  return best;
}

function isWordUnit(unit: number): boolean {
  return (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || (unit >= 48 && unit <= 57) || unit === 95;
}

function matchesAt(hint: Hint, text: string, end: number): boolean {
  const start = end - hint.back;
  if (start < 0 || start + hint.text.length > text.length) return false;
  if (hint.wordStart && start > 0 && isWordUnit(text.charCodeAt(start - 1))) return false;
  for (let at = 0; at < hint.text.length; at += 1) {
    const expected = hint.text.charCodeAt(at);
    let unit = text.charCodeAt(start + at);
    if (unit === expected || expected === 63) continue;
    if (expected === 35 && unit >= 48 && unit <= 57) continue;
    if (!hint.anyCase) return false;
    if (unit >= 65 && unit <= 90) unit += 32;
    if (unit !== expected) return false;
  }
  return true;
}

/** Counts the digits that end here, at most nine, with only separators between them. */
function digitsInOneNumber(text: string, end: number): number {
  let digits = 0;
  for (let at = end; at >= 0 && digits < LONG_NUMBER_DIGITS; at -= 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 48 && unit <= 57) digits += 1;
    else if (!NUMBER_SEPARATORS.includes(text.charAt(at))) break;
  }
  return digits;
}

function collect(slot: readonly Hint[] | undefined, text: string, end: number, found: number[]): void {
  for (const hint of slot ?? []) if (!found.includes(hint.group) && matchesAt(hint, text, end)) found.push(hint.group);
}

/**
 * Creates the scanner of these groups. It may return groups without a match, but never omits one with a match. Linear in the text.
 * @throws RangeError for a hint without three adjacent literal characters
 */
export function createScanner(groups: readonly HintGroup[]): (text: string) => Findings {
  // One bit per trigram: 32 KiB, of which a text uses a small part.
  const bits = new Int32Array(1 << (HASH_BITS - 5));
  const slots = new Map<number, Hint[]>();
  for (const [group, { hints, anyCase }] of groups.entries()) {
    for (const written of hints) {
      const wordStart = written.startsWith('|');
      const text = wordStart ? written.slice(1) : written;
      const from = lookedUp(text);
      const hash =
        (codeOf(text.charAt(from)) << (2 * CODE_BITS)) |
        (codeOf(text.charAt(from + 1)) << CODE_BITS) |
        codeOf(text.charAt(from + 2));
      const hint = { group, text: anyCase ? text.toLowerCase() : text, anyCase, wordStart, back: from + 2 };
      const slot = slots.get(hash);
      if (slot === undefined) slots.set(hash, [hint]);
      else slot.push(hint);
      bits[hash >>> 5] = (bits[hash >>> 5] ?? 0) | (1 << (hash & 31));
    }
  }

  return (text) => {
    const found: number[] = [];
    let hash = 0;
    let digits = 0;
    let dots = 0;
    let colons = 0;
    let lastDigit = -8;
    let lastDot = -8;
    let lastColon = -8;
    let longNumber = false;
    let ipv4 = false;
    let ipv6 = false;
    let sixBetweenDots = false;
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      const kind = unit < 128 ? (UNITS[unit] ?? 0) : 0;
      hash = ((hash << CODE_BITS) | (kind & CODE)) & HASH_MASK;
      if ((((bits[hash >>> 5] ?? 0) >>> (hash & 31)) & 1) !== 0) collect(slots.get(hash), text, at, found);
      if (kind <= CODE) continue;
      if ((kind & IS_DIGIT) !== 0) {
        digits = at - lastDigit <= 4 ? digits + 1 : 1;
        lastDigit = at;
        if (digits >= LONG_NUMBER_DIGITS && !longNumber) {
          digits = digitsInOneNumber(text, at);
          longNumber = digits === LONG_NUMBER_DIGITS;
        }
      } else if ((kind & IS_DOT) !== 0) {
        dots = at - lastDot <= 4 ? dots + 1 : 1;
        if (dots === 3) ipv4 = true;
        if (at - lastDot === 7) sixBetweenDots = true;
        lastDot = at;
      } else {
        colons = at - lastColon <= 5 ? colons + 1 : 1;
        if (colons === 3) ipv6 = true;
        lastColon = at;
      }
    }
    if (found.length > 1) found.sort((one, other) => one - other);
    return { groups: found, longNumber, ipv4, ipv6, sixBetweenDots };
  };
}
