import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { functionSignatures, RELEASED_FUNCTIONS } from '../../infra/build/released-functions.ts';

const REMEDY =
  'Processes of the released version call these functions by these arguments. Restore them, and add a function with a new name (docs/how-to-change.md#change-a-database-function). Until 0.1.0 is released: npm run functions:released';

test('functions of the released version have its arguments and results', () => {
  const released = readFileSync(RELEASED_FUNCTIONS, 'utf8').trimEnd().split('\n');
  expect(released.length).toBeGreaterThan(50);
  const present = functionSignatures();
  const changed = released.filter((signature) => {
    const now = present.get(/^\w+/u.exec(signature)?.[0] ?? '');
    return now !== undefined && now !== signature;
  });
  expect({ changed, remedy: REMEDY }).toEqual({ changed: [], remedy: REMEDY });
});
