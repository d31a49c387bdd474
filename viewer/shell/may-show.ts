import { may, mayOperate } from '../link/me.ts';
import type { Page } from '../pages/registry.ts';

/** Returns whether to offer a page: the user may read what it shows. */
export function mayShow({ scope, forOperators }: Page): boolean {
  return may(scope) && (forOperators !== true || mayOperate());
}
