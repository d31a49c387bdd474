/** Numbers 0–1 that are the same for the same seed (mulberry32), so that a property that fails once fails again. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PIECES = ['a', 'b c', ' ', '\n', '. ', 'é', '时区', '😀', '\uD83D', '\uDE00', '\u0000', '<', '"'] as const;

/** A text of up to `pieces` pieces: letters of one to four bytes, blanks, NULs, halves of pairs. */
export function randomText(random: () => number, pieces: number): string {
  const count = Math.floor(random() * pieces);
  return Array.from({ length: count }, () => PIECES[Math.floor(random() * PIECES.length)] ?? '').join('');
}

/** The same entries in another order (Fisher and Yates). */
export function shuffled<Entry>(entries: readonly Entry[], random: () => number): Entry[] {
  const left = [...entries];
  const order: Entry[] = [];
  while (left.length > 0) order.push(...left.splice(Math.floor(random() * left.length), 1));
  return order;
}
