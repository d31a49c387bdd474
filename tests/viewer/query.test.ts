import { expect, test } from 'vitest';
import { matchPath } from '../../viewer/router/match.ts';
import {
  choiceParameter,
  choicesParameter,
  flagParameter,
  numberParameter,
  readQuery,
  textParameter,
  writeQuery,
} from '../../viewer/router/query.ts';

const FILTERS = {
  search: textParameter(),
  status: choiceParameter(['active', 'ended']),
  types: choicesParameter(['prompt', 'observation', 'summary']),
  days: numberParameter(30, 1, 365),
  closed: flagParameter(),
};

test.each([
  ['', { search: undefined, status: undefined, types: [], days: 30, closed: false }, ''],
  [
    '?closed=true&types=summary,prompt&search=a%26b%20%E2%82%AC',
    { search: 'a&b €', status: undefined, types: ['prompt', 'summary'], days: 30, closed: true },
    '?search=a%26b+%E2%82%AC&types=prompt%2Csummary&closed=true',
  ],
  [
    '?status=nonsense&days=9999&types=x,&other=1&closed=yes',
    { search: undefined, status: undefined, types: [], days: 30, closed: false },
    '',
  ],
  [
    '?status=ended&days=7',
    { search: undefined, status: 'ended', types: [], days: 7, closed: false },
    '?status=ended&days=7',
  ],
])('reads filters of the address %s and writes the same ones', (search, state, written) => {
  expect(readQuery(FILTERS, search)).toEqual(state);
  expect(writeQuery(FILTERS, readQuery(FILTERS, search))).toBe(written);
});

test.each([
  ['/sessions', '/sessions', {}],
  ['/sessions', '/sessions/', {}],
  ['/sessions/:id', '/sessions/claude-code%3Aa%2Fb', { id: 'claude-code:a/b' }],
  ['/sessions/:id', '/sessions', null],
  ['/sessions/:id', '/sessions/a/b', null],
  ['/sessions/:id', '/sessions/%E0%A4%A', null],
])('matches the pattern %s with the path %s', (pattern, path, parts) => {
  expect(matchPath(pattern, path)).toEqual(parts);
});
