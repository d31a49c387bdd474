/** The one tag in which everything stands that recall gives to an agent, so that capture can take it out again. */
export const CONTEXT_TAG = 'recollect-context';
