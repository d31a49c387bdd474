import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Prompts on a terminal without echo. Returns null without a terminal. */
export async function hiddenInput(question: string): Promise<string | null> {
  if (!process.stdin.isTTY) return null;
  process.stderr.write(`${question}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await prompt.question('');
  } finally {
    prompt.close();
    process.stderr.write('\n');
  }
}
