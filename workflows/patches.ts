/**
 * Every `patched` of the workflow code: its id, the day it came, and when it may go. Empty while no released history needs one; a test
 * holds each `patched('…')` in the code against this list.
 */
export const PATCHES: readonly { readonly id: string; readonly since: string; readonly removeWhen: string }[] = [];
