import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { processEnvironment } from '../../../config/process-environment.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** Name of the base in the Containerfile: a local image has it, so that no registry is needed. */
const BASE = /^ARG NODE_IMAGE=(\S+)$/m;
const PACKAGES = ['buildah', 'mmdebstrap', 'bubblewrap'];
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/** Runs a program. Returns its output. @throws Error with the end of its output if it fails */
export function run(file: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT_BYTES,
    // Without a daemon and without mounting.
    env: { ...processEnvironment(), BUILDAH_ISOLATION: 'chroot', STORAGE_DRIVER: 'vfs' },
  });
  if (error !== undefined) throw new Error(`${file} was not started`, { cause: error });
  if (status !== 0)
    throw new Error(`${file} ${args.join(' ')} ended with ${status}:\n${stdout.slice(-3_000)}${stderr.slice(-3_000)}`);
  return stdout.trim();
}

function isPresent(program: string): boolean {
  return spawnSync('which', [program]).status === 0;
}

/** Installs the programs that build images. @throws Error with the remedy where this is not root on Debian */
function provideTools(): void {
  if (['buildah', 'mmdebstrap', 'bwrap'].every(isPresent)) return;
  if (process.getuid?.() !== 0 || !isPresent('apt-get'))
    throw new Error(
      `buildah, mmdebstrap and bwrap are needed: apt-get install --no-install-recommends ${PACKAGES.join(' ')}`,
    );
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES]);
}

/** Creates an image under the name of the base: Debian with the Node and npm of this checkout, and the authorities of this machine. */
function provideBase(): void {
  const [, name = ''] = BASE.exec(readFileSync(path.join(ROOT, 'deploy/Containerfile'), 'utf8')) ?? [];
  if (run('buildah', ['images', '--all', '--format', '{{.Name}}:{{.Tag}}']).includes(name)) return;
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-base-'));
  try {
    const root = path.join(folder, 'root');
    run('mmdebstrap', ['--variant=minbase', '--include=ca-certificates', 'bookworm', root]);
    const bin = path.join(root, 'usr/local/bin');
    const npm = path.join(root, 'usr/local/lib/node_modules/npm');
    mkdirSync(path.dirname(npm), { recursive: true });
    cpSync(path.join(ROOT, 'node_modules/node/bin/node'), path.join(bin, 'node'));
    cpSync(path.resolve(realpathSync(run('which', ['npm'])), '../..'), npm, { recursive: true, dereference: true });
    for (const program of ['npm', 'npx'])
      symlinkSync(`../lib/node_modules/npm/bin/${program}-cli.js`, path.join(bin, program));
    cpSync(AUTHORITIES, path.join(root, AUTHORITIES));
    const container = run('buildah', ['from', 'scratch']);
    run('buildah', ['copy', '--quiet', container, root, '/']);
    run('buildah', [
      'config',
      '--env',
      'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      '--env',
      `NODE_EXTRA_CA_CERTS=${AUTHORITIES}`,
      container,
    ]);
    run('buildah', ['commit', '--quiet', '--rm', container, name]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Images with code of Recollect. */
export const TARGETS = ['api', 'worker', 'cli'] as const;
export type Target = (typeof TARGETS)[number] | 'model';
const imageOf = (target: Target): string => `localhost/recollect/${target}:test`;

/** Builds an image of the Containerfile from the local base. */
export function buildImage(target: Target, buildArguments: readonly string[] = []): void {
  run('buildah', [
    'bud',
    '--layers',
    '--pull-never',
    '--format',
    'docker',
    '--target',
    target,
    ...buildArguments.flatMap((argument) => ['--build-arg', argument]),
    '--file',
    'deploy/Containerfile',
    '--tag',
    imageOf(target),
    '.',
  ]);
}

/** Builds the images with code from a local base. */
export function buildImages(): void {
  provideTools();
  provideBase();
  if (!existsSync(path.join(ROOT, 'dist/package'))) run('npm', ['run', 'package']);
  for (const target of TARGETS) buildImage(target);
}

const inspected = z.object({
  Docker: z.object({
    config: z.looseObject({
      User: z.string(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      Env: z.array(z.string()),
      Healthcheck: z.object({ Test: z.array(z.string()) }).optional(),
    }),
  }),
});

/** Returns the configuration of an image. */
export function configOf(target: Target) {
  return inspected.parse(JSON.parse(run('buildah', ['inspect', '--type', 'image', imageOf(target)]))).Docker.config;
}

/** Returns the sizes of the layers of an image in bytes, compressed by gzip as registries store them, by digest. */
export function layersOf(target: Target): Map<string, number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-layers-'));
  try {
    run('buildah', ['push', '--quiet', imageOf(target), `dir:${folder}`]);
    const { layers } = z
      .object({ layers: z.array(z.object({ digest: z.string(), size: z.number() })) })
      .parse(JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')));
    return new Map(layers.map(({ digest, size }) => [digest, size]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the mounted root of an image, and a function that removes it. */
export function mountImage(target: Target): { readonly root: string; readonly remove: () => void } {
  const container = run('buildah', ['from', '--pull-never', imageOf(target)]);
  return { root: run('buildah', ['mount', container]), remove: () => void run('buildah', ['rm', container]) };
}

/** Returns the paths of all files below a folder, relative to it. */
export function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => statSync(path.join(root, file), { throwIfNoEntry: false })?.isFile() === true,
  );
}
