import { ask } from '../link/ask.ts';
import { me } from '../link/me.ts';
import { forgetAnswers } from '../link/resource.ts';

/** Ends the session of the browser, and shows the sign-in. */
export async function signOutOfServer(): Promise<void> {
  await ask('DELETE /auth/browser', {});
  forgetAnswers();
  me.value = null;
}
