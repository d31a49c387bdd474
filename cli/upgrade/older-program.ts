import { existsSync } from 'node:fs';
import type { StampedProgram } from '../../infra/instance/version-stamp.ts';
import type { RunCommand } from '../service/service-commands.ts';

/** Returns true if the file that started the instance is still of that version: `npm install -g` replaces it. */
function isStillThere({ version, command: [node, bin] }: StampedProgram, run: RunCommand): boolean {
  if (!existsSync(bin)) return false;
  const outcome = run(node, [bin, '--version']);
  return outcome.kind === 'ended' && outcome.exitCode === 0 && outcome.stdout.trim() === version;
}

/** Starts the instance in the background with an older program. Returns true once it is ready. */
export function startInBackground({ command: [node, bin] }: StampedProgram, dataDir: string, run: RunCommand): boolean {
  const outcome = run(node, [bin, 'up', '--detach', '--data-dir', dataDir]);
  return outcome.kind === 'ended' && outcome.exitCode === 0;
}

/** Starts the program that ran the instance before with `start`, if it is still installed. Returns what happened, as lines. */
export async function startOlder(
  program: StampedProgram,
  run: RunCommand,
  start: () => boolean | Promise<boolean>,
): Promise<string> {
  if (!isStillThere(program, run))
    return `Start it with ${program.version} (npm install --global recollect@${program.version}, then recollect up).\n`;
  return (await start())
    ? `Version ${program.version} runs again.\n`
    : `Version ${program.version} does not start either: see recollect status and recollect logs.\n`;
}
