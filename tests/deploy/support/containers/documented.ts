import { readFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../tools.ts';

const PAGE = path.resolve(import.meta.dirname, '../../../../docs/servers.md');
/** Programs of the documentation that change nothing here: `docker` prints its arguments. */
const STUBS = `
docker() { printf '%s\\0' "$@"; printf '\\n'; }
git() { :; }
EDITOR=:
`;

/**
 * Returns the arguments of each call of docker in the commands of docs/servers.md below a heading, in their order. A shell runs them, so loops are
 * expanded. `paths` replaces the examples of paths. @throws Error if there is no such block
 */
export function documentedCalls(heading: string, paths: Readonly<Record<string, string>> = {}): string[][] {
  const section = readFileSync(PAGE, 'utf8').split(`\n${heading}\n`)[1]?.split(/\n#+ /)[0];
  const commands = /```sh\n([\s\S]*?)```/.exec(section ?? '')?.[1];
  if (commands === undefined) throw new Error(`docs/servers.md has no commands below ${heading}`);
  const here = Object.entries(paths).reduce((text, [example, real]) => text.replaceAll(example, real), commands);
  const { status, stdout, stderr } = run('sh', ['-eu'], undefined, STUBS + here);
  if (status !== 0) throw new Error(`the commands below ${heading} ended with ${status}: ${stderr}`);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\0').slice(0, -1));
}
