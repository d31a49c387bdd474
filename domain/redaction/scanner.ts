/**
 * One pass over a text that says which groups of patterns are worth trying. A pattern over a text costs about a microsecond a
 * kilobyte, and there are more than a hundred: so each names some piece of text that every match of it holds, and this pass looks for
 * all of them at once.
 */

/**
 * A piece of text that every match of a group holds. `#` stands for any digit, `?` for any character, a leading `|` for the beginning of
 * a word. Three characters next to each other must be literal or digits.
 */
export interface HintGroup {
  readonly hints: readonly string[];
  /** Upper and lower case are the same to the group's pattern. */
  readonly anyCase: boolean;
}

export interface Findings {
  /** Numbers of the groups of which a hint was found, ascending. */
  readonly groups: readonly number[];
  /** Nine digits or more with nothing but separators between them: a phone, a card, an account. */
  readonly longNumber: boolean;
  /** Three dots close to each other, as in an address. */
  readonly ipv4: boolean;
  /** Three colons close to each other, as in an address. */
  readonly ipv6: boolean;
  /** Six characters between two dots, as in the middle of a Discord token. */
  readonly sixBetweenDots: boolean;
}

interface Hint {
  readonly group: number;
  readonly text: string;
  readonly anyCase: boolean;
  readonly wordStart: boolean;
  /** How many characters before the end of the three that were looked up the hint begins. */
  readonly back: number;
}

/** Bits of a character's code: letters without their case, all digits one, each of the symbols that hints are made of. */
const CODE_BITS = 6;
const CODE = (1 << CODE_BITS) - 1;
const HASH_BITS = 3 * CODE_BITS;
const HASH_MASK = (1 << HASH_BITS) - 1;
const DIGIT = 27;
const SYMBOLS = '_-.:/=<[$@~; "()+';
/** Characters of which the pass keeps count have a bit above their code. */
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

/** How rare a character is in prose and code: of a hint the rarest three are looked up. */
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

/** Where in the hint the three characters begin that are looked up. @throws RangeError for a hint without three */
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
  if (best < 0) throw new RangeError(`the hint ${hint} has no three characters to look up`);
  return best;
}

function isWordUnit(unit: number): boolean {
  return (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || (unit >= 48 && unit <= 57) || unit === 95;
}

function stands(hint: Hint, text: string, end: number): boolean {
  const start = end - hint.back;
  if (start < 0 || start + hint.text.length > text.length) return false;
  if (hint.wordStart && start > 0 && isWordUnit(text.charCodeAt(start - 1))) return false;
  for (let at = 0; at < hint.text.length; at += 1) {
    const wanted = hint.text.charCodeAt(at);
    let unit = text.charCodeAt(start + at);
    if (unit === wanted || wanted === 63) continue;
    if (wanted === 35 && unit >= 48 && unit <= 57) continue;
    if (!hint.anyCase) return false;
    if (unit >= 65 && unit <= 90) unit += 32;
    if (unit !== wanted) return false;
  }
  return true;
}

/** How many digits, nine at most, end here with nothing but separators between them. */
function digitsInOneNumber(text: string, end: number): number {
  let digits = 0;
  for (let at = end; at >= 0 && digits < LONG_NUMBER_DIGITS; at -= 1) {
    const unit = text.charCodeAt(at);
    if (unit >= 48 && unit <= 57) digits += 1;
    else if (!NUMBER_SEPARATORS.includes(text.charAt(at))) break;
  }
  return digits;
}

function look(slot: readonly Hint[] | undefined, text: string, end: number, found: number[]): void {
  for (const hint of slot ?? []) if (!found.includes(hint.group) && stands(hint, text, end)) found.push(hint.group);
}

/**
 * Makes the pass for these groups. What it answers is a list of groups that may match, never one that leaves out a group that does,
 * in time that grows with the text alone. @throws RangeError for a hint that cannot be looked up
 */
export function createScanner(groups: readonly HintGroup[]): (text: string) => Findings {
  // One bit for each three characters: 32 KiB, of which a text touches a small part.
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
      if ((((bits[hash >>> 5] ?? 0) >>> (hash & 31)) & 1) !== 0) look(slots.get(hash), text, at, found);
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
