/** Every `patched` of the workflow code: its id, the day it was added, and when it can be removed. A test compares the code with this list. */
export const PATCHES: readonly { readonly id: string; readonly since: string; readonly removeWhen: string }[] = [];
