import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { processEnvironment } from '../../../config/process-environment.ts';
import { cacheDirectory } from '../../../infra/instance/layout.ts';

const FOLDER = path.resolve(import.meta.dirname, '..');
const CACHE = path.join(cacheDirectory(processEnvironment()), 'deploy-tools');
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program. Returns its exit code and output. @throws Error if it cannot be started */
export function run(file: string, args: readonly string[], folder = FOLDER, input?: string): Ran {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT_BYTES,
    ...(input === undefined ? {} : { input }),
  });
  if (error !== undefined) throw new Error(`${file} was not started`, { cause: error });
  return { status: status ?? -1, stdout, stderr };
}

function succeed(file: string, args: readonly string[], folder?: string): string {
  const { status, stdout, stderr } = run(file, args, folder);
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${status}:\n${stderr.slice(-4_000)}`);
  return stdout;
}

/** Returns what these tests lack on this machine, as sentences with the remedy. */
export function missingTools(): string[] {
  return [
    ['go', ['version'], 'go is not on the PATH: install Go 1.26 or newer'],
    ['python3', ['-c', 'import venv, ensurepip'], 'python3 with venv is not on the PATH: install Python 3.11 or newer'],
  ].flatMap(([file, args, sentence]) => {
    const { status } = spawnSync(String(file), args as string[]);
    return status === 0 ? [] : [String(sentence)];
  });
}

/** Returns a folder of the cache whose name depends on the content of lock files, complete or absent. */
function cached(name: string, locks: readonly string[], make: (folder: string) => void): string {
  const hash = createHash('sha256');
  for (const lock of locks) hash.update(readFileSync(path.join(FOLDER, lock)));
  const folder = path.join(CACHE, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    make(unfinished);
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Returns the path of Helm, built from the pinned Go module: some minutes once. */
export function helmProgram(): string {
  const folder = cached('helm', ['go/helm/go.mod', 'go/helm/go.sum'], (target) => {
    const args = ['build', '-mod=readonly', '-trimpath', '-ldflags=-s -w', '-o', `${target}/`];
    succeed('go', [...args, 'helm.sh/helm/v4/cmd/helm'], path.join(FOLDER, 'go/helm'));
  });
  return path.join(folder, 'helm');
}

/** Returns the path of the validator of Kubernetes manifests, which contains the schemas, from locked packages. */
export function kubernetesValidator(): string {
  const folder = cached('kubernetes-validate', ['kubernetes-validate.txt'], (target) => {
    const lock = path.join(FOLDER, 'kubernetes-validate.txt');
    // Not a virtual environment, whose programs contain the path of the folder.
    succeed('python3', ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--target', target, '-r', lock]);
  });
  return folder;
}

const downloaded = z.object({ Dir: z.string() });

/** Returns the folder of a Go module in Go's cache, with the content that `go.sum` pins. */
export function moduleFolder(module: string): string {
  return downloaded.parse(
    JSON.parse(succeed('go', ['mod', 'download', '-json', module], path.join(FOLDER, 'go/schemas'))),
  ).Dir;
}
