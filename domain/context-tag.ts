/** The one tag in which everything stands that recall gives to an agent, so that capture can take it out again. */
export const CONTEXT_TAG = 'recollect-context';

const TAGS = new RegExp(`</?${CONTEXT_TAG}>`, 'giu');

/** A text that stands within the tag as it may: one that names the tag itself must not end it. A blank is left, so that none arises of what was around it. */
export function withoutContextTags(text: string): string {
  return text.replaceAll(TAGS, ' ');
}
