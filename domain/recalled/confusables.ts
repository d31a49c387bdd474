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
