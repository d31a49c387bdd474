import { inject } from 'vitest';
import type { TestInstance } from '../../setup/instance.ts';
import type { Inside } from './outcome.ts';

/** Returns the stores of an instance whose workers the test starts and stops. */
export function insideOf(instance: TestInstance): Inside {
  return {
    query: (text, values = []) => instance.rows(text, [...values]),
    withTemporal: (work) => work(instance.temporal),
    weaviate: inject('engines').weaviate,
  };
}
