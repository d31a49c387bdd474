import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const DOCS = fileURLToPath(new URL('../../../docs', import.meta.url));
/** Most prompts are one chunk, some three: 1.8 on average. */
const LEAST_CHARS = 200;
const MOST_CHARS = 2_600;

/** Returns a function that returns distinct texts of the words of this repository's documents; the same ones for the same seed. */
export function textsFrom(seed: number): () => string {
  const words = readdirSync(DOCS)
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => readFileSync(path.join(DOCS, name), 'utf8').match(/[A-Za-z]{2,}/gu) ?? []);
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state >> 8;
  };
  return () => {
    const chars = LEAST_CHARS + (next() % (MOST_CHARS - LEAST_CHARS));
    let text = '';
    while (text.length < chars) text += `${words[next() % words.length] ?? ''} `;
    return text.trimEnd();
  };
}
