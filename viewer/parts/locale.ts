import { settings } from '../settings.ts';

/** Returns the locale of numbers and times. Reading it in a component renders it again at a change of the language. */
export function locale(): 'en-GB' | 'zh-CN' {
  return settings.value.language === 'zh' ? 'zh-CN' : 'en-GB';
}
