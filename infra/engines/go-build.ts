import { readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import type { Engine } from './pinned.ts';
import type { MakeContext } from './resolve.ts';
import { runTool, ToolError } from './run-tool.ts';

const SHOWN_EVERY_MS = 1000;

/**
 * Builds the programs of an engine from the committed go.mod and go.sum into a folder. Rejects with Error without Go or
 * module source, and if the build fails.
 */
export async function buildWithGo(engine: Engine, folder: string, context: MakeContext): Promise<void> {
  const work = path.join(folder, 'work');
  await mkdir(work);
  const environment = await goEnvironment(engine, work, context);
  const startedAt = performance.now();
  let doing = 'starting';
  let packages = 0;
  const onLine = (line: string): void => {
    if (line.startsWith('go: downloading ')) doing = `downloading ${line.slice('go: downloading '.length)}`;
    else if (/^[\w.-]+(?:\/[\w.~-]+)*$/.test(line)) {
      packages += 1;
      doing = `compiling, ${packages} packages`;
    }
  };
  const show = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    context.update(`building ${engine.version} with Go (a few minutes, once): ${doing}, ${seconds} s`);
  }, SHOWN_EVERY_MS);
  try {
    const packagesToBuild = engine.programs.map((program) => program.goPackage);
    const args = ['build', '-v', '-buildvcs=false', '-ldflags=-s -w', '-o', `${folder}${path.sep}`, ...packagesToBuild];
    const result = await runTool({
      file: 'go',
      args,
      environment,
      workingDirectory: engine.goFolder,
      signal: context.signal,
      onLine,
    });
    if (result.exitCode !== 0)
      throw new Error(`go build exited with ${result.exitCode}: ${result.lines.slice(-6).join(' | ')}`);
  } finally {
    clearInterval(show);
  }
  rmSync(work, { recursive: true, force: true });
  for (const program of engine.programs) {
    const built = path.join(folder, path.posix.basename(program.goPackage));
    if (built !== path.join(folder, program.name)) renameSync(built, path.join(folder, program.name));
  }
}

async function goEnvironment(engine: Engine, work: string, context: MakeContext): Promise<Record<string, string>> {
  const given = definedOnly(context.environment);
  const environment: Record<string, string> = {
    ...given,
    GOFLAGS: [given['GOFLAGS'], '-mod=readonly'].filter(Boolean).join(' '),
    GOWORK: 'off',
    GOTMPDIR: work,
  };
  const wanted = /^go (\S+)$/m.exec(readFileSync(path.join(engine.goFolder, 'go.mod'), 'utf8'))?.[1] ?? '0';
  // Outside of the module: inside, an old Go fails even for `go version`.
  const versionEnvironment = { ...environment, GOTOOLCHAIN: 'local', GOFLAGS: '' };
  const installed = await goVersion(versionEnvironment, work, context.signal);
  // An older Go can download the required version from the module proxy unless GOTOOLCHAIN forbids it.
  if (isOlder(installed, wanted) && (given['GOTOOLCHAIN'] ?? 'local') === 'local') environment['GOTOOLCHAIN'] = 'auto';
  return environment;
}

async function goVersion(environment: Record<string, string>, folder: string, signal: AbortSignal): Promise<string> {
  try {
    const result = await runTool({
      file: 'go',
      args: ['env', 'GOVERSION'],
      environment,
      workingDirectory: folder,
      signal,
    });
    return result.lines.at(-1)?.replace(/^go/, '') ?? '0';
  } catch (error) {
    if (error instanceof ToolError && error.code === 'not-started')
      throw new Error('go is not on the PATH', { cause: error });
    throw error;
  }
}

/** Returns true if a dotted version is lower than another; ignores suffixes. */
export function isOlder(version: string, than: string): boolean {
  const [left, right] = [version, than].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (let index = 0; index < 3; index += 1) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function definedOnly(environment: Environment): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) defined[name] = value;
  return defined;
}
