import { createInterface } from 'node:readline/promises';
import type { Output } from './output.ts';

/** Prompts on a terminal. Returns true for `y` or `yes`; false for other input and without a terminal. */
export async function confirm(question: string, output: Output): Promise<boolean> {
  if (output.columns === null || !process.stdin.isTTY) return false;
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(?:es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}
