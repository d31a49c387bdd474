import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { fileInstance } from '../setup/file-instance.ts';
import { recordFigure } from './record-figure.ts';

const GUESSES = 500;

const instance = fileInstance();

test('rejects every guessed key', async () => {
  const statuses: number[] = [];
  for (let index = 0; index < GUESSES; index += 1)
    statuses.push((await instance.call('GET', '/sessions', { key: `rcl_${randomUUID()}` })).status);
  recordFigure('guessed_keys_accepted', statuses.filter((status) => status !== 401).length);
  expect(new Set(statuses)).toEqual(new Set([401]));
});
