import type { LookupFunction } from 'node:net';
import { canLeaveBusyPool } from './leave.ts';

/** Returns a lookup in a child process for Node versions that cannot exit during a blocked lookup; else none. */
export function lookUpOption(): { readonly lookup?: LookupFunction } {
  return canLeaveBusyPool() ? {} : { lookup: lookUpApart };
}

const lookUpApart: LookupFunction = (name, options, done) => {
  void import('./child-look-up.ts').then(({ lookUpByChild }) => lookUpByChild(name, options, done));
};
