import { existsSync } from 'node:fs';
import type { StampedProgram } from '../../infra/instance/version-stamp.ts';
import type { RunCommand } from '../service/service-commands.ts';

/** Returns true if the file that started the instance is still of that version: `npm install -g` replaces it. */
function isStillThere({ version, command: [node, bin] }: StampedProgram, run: RunCommand): boolean {
  if (!existsSync(bin)) return false;
  const outcome = run(node, [bin, '--version']);
  return outcome.kind === 'ended' && outcome.exitCode === 0 && outcome.stdout.trim() === version;
}

/** Starts the instance in the background with the program that ran it before. Returns what happened, as lines. */
export function startOlder(program: StampedProgram, dataDir: string, run: RunCommand): string {
  const [node, bin] = program.command;
  if (!isStillThere(program, run))
    return `Start it with ${program.version} (npm install --global recollect@${program.version}, then recollect up).\n`;
  const outcome = run(node, [bin, 'up', '--detach', '--data-dir', dataDir]);
  return outcome.kind === 'ended' && outcome.exitCode === 0
    ? `Version ${program.version} runs again.\n`
    : `Version ${program.version} does not start either: see recollect status and recollect logs.\n`;
}
