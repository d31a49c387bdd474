import { createInterface } from 'node:readline/promises';
import type { Output } from './output.ts';

/** Asks on a terminal; the answer must be `y` or `yes`. False where there is none to ask on. */
export async function confirm(
  question: string,
  output: Output,
  input: NodeJS.ReadStream = process.stdin,
): Promise<boolean> {
  if (output.columns === null || !input.isTTY) return false;
  const prompt = createInterface({ input, output: process.stdout });
  try {
    return /^y(?:es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}
