import type { WaitingWords } from '../stores/postgres/search/keyword-search.ts';

const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]+/gu;
const MAX_PAIRS = 40;
/** Chinese question words without content: their neighbours would not be adjacent in an answer. */
const ASKING = /为什么|怎么样|怎么|如何|什么|哪些|哪个|哪里|是否|多少|我们|你们|他们|[吗呢吧的了呀啊]/gu;

/** Splits a query for unindexed texts: scripts without spaces as pairs of neighbours (a single character unchanged), the rest as words. */
export function waitingWords(text: string): WaitingWords {
  const lower = text.toLowerCase();
  const pairs = (lower.replaceAll(ASKING, ' ').match(UNSPACED_RUN) ?? []).flatMap((run) => {
    const characters = Array.from(run);
    return characters.length === 1 ? [run] : characters.slice(1).map((next, n) => `${characters[n] ?? ''}${next}`);
  });
  return { words: lower.replaceAll(UNSPACED_RUN, ' '), pairs: [...new Set(pairs)].slice(0, MAX_PAIRS) };
}
