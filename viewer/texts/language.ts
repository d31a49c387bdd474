import { settings } from '../settings.ts';
import type { Texts } from './texts.ts';

/** Returns the texts in the language of the settings; a component that reads them renders again when it changes. */
export function inLanguage<Group>(texts: Texts<Group>): Group {
  return texts[settings.value.language];
}
