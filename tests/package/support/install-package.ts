import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, lchownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { processEnvironment } from '../../../config/process-environment.ts';
import { packStaged, stagePackage } from '../../../infra/build/package.ts';
import { cacheDirectory } from '../../../infra/instance/layout.ts';
import { OTHER_USER } from './run-installed.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly tarball: string;
    /** Folder of the installed package. */
    readonly installed: string;
    /** Engines and models, readable by the user that runs the package. */
    readonly packageCache: string;
    /** Scratch folder that this user may write. */
    readonly packageScratch: string;
    readonly installSeconds: number;
  }
}

/** Gives a folder with its content to the user that runs the package. */
function giveAway(folder: string): void {
  if (OTHER_USER === null) return;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const name of ['', ...names]) lchownSync(path.join(folder, name), OTHER_USER.uid, OTHER_USER.gid);
}

/** Packs the checkout, installs the tarball as `npm install --global` with blocked install scripts does, and removes the right to write. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-package-'));
  chmodSync(folder, 0o755);
  const remove = (): void => {
    spawnSync('chmod', ['-R', 'u+w', folder]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    install(folder, project);
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}

function install(folder: string, project: TestProject): void {
  const made = (name: string): string => {
    mkdirSync(path.join(folder, name));
    return path.join(folder, name);
  };
  const staged = path.join(folder, 'staged');
  stagePackage(staged);
  const tarball = packStaged(staged, folder);
  const prefix = made('prefix');
  const flags = ['--global', '--prefix', prefix, '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync('npm', ['install', ...flags, tarball], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm install failed:\n${stdout}${stderr}`);
  const installSeconds = (performance.now() - startedAt) / 1_000;
  spawnSync('chmod', ['-R', 'a-w', prefix]);
  const cache = made('cache');
  for (const name of ['engines', 'models']) {
    const known = path.join(cacheDirectory(processEnvironment()), name);
    if (existsSync(known)) cpSync(known, path.join(cache, name), { recursive: true });
  }
  giveAway(cache);
  const scratch = made('scratch');
  giveAway(scratch);
  project.provide('tarball', tarball);
  project.provide('installed', path.join(prefix, 'lib', 'node_modules', 'recollect'));
  project.provide('packageCache', cache);
  project.provide('packageScratch', scratch);
  project.provide('installSeconds', installSeconds);
}
