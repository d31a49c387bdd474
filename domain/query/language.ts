export type QueryLanguage = 'en' | 'zh' | 'ja' | 'ko' | 'other';

/** The language of a question by its script: enough to choose how its words are cut and its times are read. Anything in Latin letters is `en`. */
export function languageOf(text: string): QueryLanguage {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return 'ja';
  if (/\p{Script=Hangul}/u.test(text)) return 'ko';
  if (/\p{Script=Han}/u.test(text)) return 'zh';
  return /\p{Script=Latin}/u.test(text) || !/\p{L}/u.test(text) ? 'en' : 'other';
}
