/** Lookalikes of the characters in tags: each word is an ASCII character and its lookalikes. */
const LOOKALIKES = `
  <‹«〈〈⟨❬❮❰⟪《˂ᐸ≺≪⋖ >›»〉〉⟩❭❯❱⟫》˃ᐳ≻≫⋗ /∕⁄╱⧸⟋〳 |│┃∣ǀ❘ :ː∶꞉︰ -‐‑‒–—―−⁃➖▁ˍ [【〔〖⟦ ]】〕〗⟧
  aаɑαᴀ bЬʙв cсϲᴄ dԁᴅ eеєεᴇҽ fғꜰϝ gɡցɢ hһհʜ iіıιɪӏ jјᴊϳ kкκᴋ lⅼʟǀ mмᴍ nոηɴп oоοօᴏσ pрρᴘ qԛգ rгʀᴦ sѕꜱ tтτᴛ uսυᴜ vѵνᴠ wԝωᴡ xхχ yуүγʏ zᴢ
  AАΑ BВΒ CСϹ EЕΕ FϜ HНΗ IІΙ JЈ KКΚ MМΜ NΝ OОΟ PРΡ SЅ TТΤ XХΧ YҮΥ ZΖ`;

const ASCII_OF: ReadonlyMap<string, string> = new Map(
  LOOKALIKES.trim()
    .split(/\s+/u)
    .flatMap((word) => {
      const [plain = '', ...alike] = word;
      return alike.map((character): [string, string] => [character, plain]);
    }),
);

const MARKS = /[\p{M}\p{Default_Ignorable_Code_Point}]/gu;

function read(character: string): string {
  const plain = character.normalize('NFKD').replaceAll(MARKS, '');
  const ascii = ASCII_OF.get(plain) ?? plain;
  return /^[\t\n\x20-\x7e]*$/u.test(ascii) ? ascii : character;
}

/** Cache of results, bounded: a text repeats few characters. */
const READ = new Map(ASCII_OF);
const MAX_READ = 10_000;

/**
 * Returns the ASCII character that a character imitates: of another width or style, with diacritics, or a lookalike. '' for an invisible
 * character; the character itself if it imitates none.
 */
export function asciiOf(character: string): string {
  const known = READ.get(character);
  if (known !== undefined) return known;
  const ascii = read(character);
  if (READ.size < MAX_READ) READ.set(character, ascii);
  return ascii;
}

/** A text after decoding its escapes and normalising lookalikes. */
export interface Reading {
  readonly text: string;
  /** Maps an index of the reading to its position in the original text, in UTF-16 units; the length maps to the length. */
  readonly placeOf: (index: number) => number;
}

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  sol: '/',
  bsol: '\\',
  lsqb: '[',
  lbrack: '[',
  rsqb: ']',
  rbrack: ']',
  lpar: '(',
  colon: ':',
  vert: '|',
  verbar: '|',
  excl: '!',
  hyphen: '-',
  dash: '-',
  lowbar: '_',
  nbsp: ' ',
  tab: '\t',
  newline: '\n',
};
/** HTML references (also of an ampersand), percent-encoded bytes, and JSON and program escapes (also nested in JSON). */
const ESCAPES = new RegExp(
  [
    String.raw`&(?:(?:amp|#38|#x26);)*(?:#x0{0,8}([0-9a-f]{1,6})|#0{0,8}(\d{1,7})|(${Object.keys(NAMED).join('|')}));?`,
    '%(?:25)*(?:[0-7][0-9a-f]|[c-f][0-9a-f](?:%(?:25)*[89ab][0-9a-f]){1,3})',
    String.raw`\\{1,16}(?:u\{0{0,6}([0-9a-f]{1,6})\}|u([0-9a-f]{4})|x([0-9a-f]{2})|([nrt]))`,
  ].join('|'),
  'gi',
);
/** Scripts without lookalikes of tag letters are unchanged: complete texts consist of them. */
const FOREIGN =
  /[^\p{ASCII}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Arabic}\p{Script=Devanagari}]/gu;
const MAY_DIFFER = /[&%\\]|\P{ASCII}/u;
/** Most nested escapes that are decoded. */
const MAX_PASSES = 6;

function characterOf(hexadecimal: string | undefined, decimal?: string): string | null {
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : null;
}

/** Decodes UTF-8 bytes; null if they are invalid. */
function ofBytes(escaped: string): string | null {
  try {
    return decodeURIComponent(escaped.replaceAll(/%(?:25)+(?=[0-9a-f]{2})/gi, '%'));
  } catch {
    return null;
  }
}

function decoded(match: RegExpExecArray): string | null {
  const [found, hexadecimal, decimal, name, code, unit, byte, blank] = match;
  if (found.startsWith('%')) return ofBytes(found);
  if (name !== undefined) return NAMED[name.toLowerCase()] ?? null;
  if (blank !== undefined) return blank.toLowerCase() === 't' ? '\t' : '\n';
  return characterOf(hexadecimal ?? code ?? unit ?? byte, decimal);
}

interface Step {
  readonly text: string;
  readonly places: readonly number[] | null;
}

function rewritten(step: Step, pattern: RegExp, read: (match: RegExpExecArray) => string | null): Step {
  const { text } = step;
  const placeOf = (index: number): number => step.places?.[index] ?? index;
  const places: number[] = [];
  let output = '';
  let at = 0;
  const copyTo = (to: number): void => {
    output += text.slice(at, to);
    for (; at < to; at += 1) places.push(placeOf(at));
  };
  for (const match of text.matchAll(pattern)) {
    const instead = read(match);
    if (instead === null || instead === match[0]) continue;
    copyTo(match.index);
    output += instead;
    at += match[0].length;
    // The first character maps to the complete escape; further ones have no position.
    for (let n = 0; n < instead.length; n += 1) places.push(placeOf(n === 0 ? match.index : at));
  }
  if (places.length === 0 && at === 0) return step;
  copyTo(text.length);
  places.push(placeOf(text.length));
  return { text: output, places };
}

/** Reads a text in linear time. Preserves case. */
export function readingOf(text: string): Reading {
  let step: Step = { text, places: null };
  if (MAY_DIFFER.test(text)) {
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      const before = step;
      step = rewritten(rewritten(step, ESCAPES, decoded), FOREIGN, ([character]) => asciiOf(character));
      if (step === before) break;
    }
  }
  const { places } = step;
  return { text: step.text, placeOf: (index) => places?.[index] ?? index };
}
