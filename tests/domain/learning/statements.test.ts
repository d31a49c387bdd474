import { describe, expect, test } from 'vitest';
import { errorNames, namesIn } from '../../../domain/learning/compare.ts';
import { agreement, changedValue, polarities, statedValues } from '../../../domain/learning/statements.ts';
import { processorMs } from '../../setup/processor-time.ts';

describe('polarity', () => {
  test.each([
    ['Never use tabs', 'tabs', -1],
    ['Always use tabs', 'tabs', 1],
    ['Use pnpm instead of npm', 'npm', -1],
    ['Use pnpm instead of npm', 'pnpm', 1],
    ['Do not cache, but log', 'log', 1],
    ['It works without kafka', 'kafka', -1],
    ['Tabs are used. Never mix spaces and tabs', 'tabs', 0],
    ['不再使用 kafka', 'kafka', -1],
  ])('%s: %s is %d', (text, term, sign) => {
    expect(polarities(text).get(term)).toBe(sign);
  });

  test('a denial ends after six words that mean something', () => {
    const signs = polarities('never alpha bravo charlie delta echo foxtrot golf hotel');
    expect([signs.get('alpha'), signs.get('foxtrot'), signs.get('golf')]).toEqual([-1, -1, 1]);
  });

  test('agreement counts clear words of both', () => {
    expect(agreement(polarities('never push main'), polarities('push main, merge later'))).toEqual({
      agreeing: 0,
      opposing: 2,
    });
    expect(agreement(polarities('push main'), polarities('push main'))).toEqual({ agreeing: 2, opposing: 0 });
  });

  test('time is bounded for hostile text', () => {
    const spentMs = processorMs(() => {
      polarities('not '.repeat(200_000));
      statedValues('a=1 '.repeat(200_000));
      namesIn('a/'.repeat(5_000));
    });
    expect(spentMs).toBeLessThan(500);
  });
});

describe('values', () => {
  test.each([
    ['the port is 5432', 'port', ['5432']],
    ['PORT=5432', 'port', ['5432']],
    ['Node v22.1', 'node', ['22.1']],
    ['retries: 3', 'retry', ['3']],
    ['after 3 retries', 'retry', ['3']],
    ['strict is set to true', 'strict', ['true']],
  ])('%s', (text, key, values) => {
    expect([...(statedValues(text).get(key) ?? [])]).toEqual(values);
  });

  test('changed only if no value is equal', () => {
    const of = statedValues;
    expect(changedValue(of('port is 1'), of('port is 2'))).toBe(true);
    expect(changedValue(of('port is 1'), of('port is 1'))).toBe(false);
    expect(changedValue(of('port is 1'), of('timeout is 2'))).toBe(false);
    expect(changedValue(of('port is 1, limit is 2'), of('port is 1, limit is 3'))).toBe(false);
  });
});

test('names are files, errors, settings and code', () => {
  expect([
    ...namesIn('In src/api/server.ts `listen` throws EADDRINUSE when HTTP_PORT is taken, see startServer()'),
  ]).toEqual(expect.arrayContaining(['server.ts', 'eaddrinuse', 'http_port', 'listen', 'startserver']));
  expect(errorNames('TypeError: x; TS2345 and again TypeError')).toEqual(['TypeError', 'TS2345']);
  expect(namesIn('nothing special here').size).toBe(0);
});
