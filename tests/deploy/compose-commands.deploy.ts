import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../cli/program.ts';
import { composeContent } from './support/compose.ts';

const DOCS = path.resolve(import.meta.dirname, '../../docs');

/** A command was parsed; its action did not run. */
class Parsed extends Error {}

/** Parses arguments of `recollect` without running them. @throws CommanderError for wrong ones */
async function parseOnly(args: readonly string[]): Promise<void> {
  const output = { out: () => {}, err: () => {}, columns: null, hasColours: false };
  const program = createProgram({ environment: {}, output }, () => {});
  const strict = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    command.commands.forEach(strict);
  };
  strict(program);
  program.hook('preAction', () => {
    throw new Parsed();
  });
  await program.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
    if (!(error instanceof Parsed)) throw error;
  });
}

test('every command of Compose in the documentation names a service, and one of recollect is valid', async () => {
  const { services } = composeContent('compose.yaml');
  const pages = readdirSync(DOCS, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
  const calls = pages.flatMap((page) =>
    [...readFileSync(path.join(DOCS, page), 'utf8').matchAll(/docker compose (?:run|exec) ([^`\n#]+)/g)].map(
      ([, words = '']) => words.trim().split(/\s+/),
    ),
  );
  const used = new Set<string>();
  for (const words of calls) {
    const at = words.findIndex((word) => !word.startsWith('-'));
    const [name = '', ...args] = words.slice(at);
    expect(Object.keys(services)).toContain(name);
    used.add(name);
    if (name === 'cli') await parseOnly(args);
  }
  expect([...used].toSorted()).toEqual(['cli', 'migration', 'model', 'proxy']);
  await expect(parseOnly(['doctor', '--servers'])).rejects.toThrow('unknown option');
});
