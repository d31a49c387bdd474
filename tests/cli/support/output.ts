import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { CommandContext } from '../../../cli/command-context.ts';
import { createProgram } from '../../../cli/program.ts';
import type { TestInstance } from '../../setup/instance.ts';

/** A command's surroundings whose output a test can read. */
export function recordOutput(
  environment: Record<string, string> = {},
  columns: number | null = null,
): CommandContext & { text(): string; errors(): string } {
  let text = '';
  let errors = '';
  const output = {
    out: (more: string) => {
      text += more;
    },
    err: (more: string) => {
      errors += more;
    },
    columns,
    hasColours: false,
  };
  return { environment, output, text: () => text, errors: () => errors };
}

/** What a command printed and its exit code. */
export interface Ran {
  readonly code: number | undefined;
  readonly text: string;
  readonly errors: string;
}

/** Runs a command in this process, into a pipe or on a terminal with `columns`. */
export async function runProgram(
  args: readonly string[],
  columns: number | null = null,
  environment: Record<string, string> = {},
): Promise<Ran> {
  const context = recordOutput({ HOME: '/nonexistent', ...environment }, columns);
  let code: number | undefined;
  await createProgram(context, (given) => {
    code = given;
  }).parseAsync(args, { from: 'user' });
  return { code, text: context.text(), errors: context.errors() };
}

/** Writes the admin's credentials of an instance into a data directory. */
export function writeCredentials(dataDir: string, { url, admin }: TestInstance): void {
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(path.join(dataDir, 'credentials.json'), JSON.stringify({ url, api_key: admin.key }));
}
