import type { WaitingWords } from '../stores/postgres/search/keyword-search.ts';

const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]+/gu;
const MAX_PAIRS = 40;
/** Words of Chinese that ask, and mean nothing else: what they stand between would not be neighbours in an answer. */
const ASKING = /为什么|怎么样|怎么|如何|什么|哪些|哪个|哪里|是否|多少|我们|你们|他们|[吗呢吧的了呀啊]/gu;

/** A question cut for texts that no index holds: scripts without blanks as pairs of neighbours (a single character as it is), the rest as words. */
export function waitingWords(text: string): WaitingWords {
  const lower = text.toLowerCase();
  const pairs = (lower.replaceAll(ASKING, ' ').match(UNSPACED_RUN) ?? []).flatMap((run) => {
    const characters = Array.from(run);
    return characters.length === 1 ? [run] : characters.slice(1).map((next, n) => `${characters[n] ?? ''}${next}`);
  });
  return { words: lower.replaceAll(UNSPACED_RUN, ' '), pairs: [...new Set(pairs)].slice(0, MAX_PAIRS) };
}
