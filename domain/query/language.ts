export type QueryLanguage = 'en' | 'zh' | 'ja' | 'ko' | 'other';

/** Detects the language of a query by its script, for word splitting and times. Latin script is `en`. */
export function languageOf(text: string): QueryLanguage {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return 'ja';
  if (/\p{Script=Hangul}/u.test(text)) return 'ko';
  if (/\p{Script=Han}/u.test(text)) return 'zh';
  return /\p{Script=Latin}/u.test(text) || !/\p{L}/u.test(text) ? 'en' : 'other';
}
