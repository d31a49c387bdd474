/** The tag around everything that recall shows an agent, so that capture can remove it. */
export const CONTEXT_TAG = 'recollect-context';
