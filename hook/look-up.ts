import type { LookupFunction } from 'node:net';
import { mayHoldThread } from './leave.ts';

/** A connection's own way to find the address of a name, for a Node that could not end while a look-up hangs; else none. */
export function lookUpOption(): { readonly lookup?: LookupFunction } {
  return mayHoldThread() ? {} : { lookup: lookUpApart };
}

const lookUpApart: LookupFunction = (name, options, done) => {
  void import('./child-look-up.ts').then(({ lookUpByChild }) => lookUpByChild(name, options, done));
};
