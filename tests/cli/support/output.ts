import type { CommandContext } from '../../../cli/command-context.ts';

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
  };
  return { environment, output, text: () => text, errors: () => errors };
}
