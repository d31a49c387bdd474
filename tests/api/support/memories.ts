import { expect } from 'vitest';
import type { z } from 'zod';
import { memorySchema, storedAnswer } from '../../../contract/memory.ts';
import { bodyOf } from './answers.ts';
import type { CallOptions, TestInstance } from '../../setup/instance.ts';

export type MemoryAnswer = z.output<typeof memorySchema>;

type Instance = Pick<TestInstance, 'call'>;

/** Remembers something by hand; answers its hash. Fails on any answer but 201. */
export async function remembered(
  instance: Instance,
  content: string,
  more: Readonly<Record<string, unknown>> = {},
  options: CallOptions = {},
): Promise<string> {
  const answer = await instance.call('POST', '/memories', { ...options, body: { content, ...more } });
  expect([answer.status, answer.body]).toEqual([201, { hash: expect.stringMatching(/^[a-z2-7]{8}$/) }]);
  return storedAnswer.parse(answer.body).hash;
}

/** A memory by id or hash; fails on any answer but 200. */
export async function memoryOf(instance: Instance, name: string, query = ''): Promise<MemoryAnswer> {
  return bodyOf(memorySchema, await instance.call('GET', `/memories/${name}${query}`));
}
