import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { z } from 'zod';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const DIST = path.join(ROOT, 'dist');

/** Files beside the modules, in the same places: what was built, what is read at run time, and what people read. */
const FILES = [
  'cli/bin.mjs',
  'cli/demo/session/events.ndjson',
  'client/built',
  'hook/built',
  'infra/engines/go',
  'prisma/migrations',
  'prisma/schema.prisma',
  'prisma/sql',
  'stores/weaviate/weaviate.proto',
  'viewer/built',
  'workers/bundle',
  'observability/rules',
  'observability/grafana',
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'docs',
];
/** Packages that a checkout needs to build, or that bring it a Node: the package has their results. */
const BUILD_ONLY: ReadonlySet<string> = new Set(['@preact/signals', 'd3-force', 'node', 'preact', 'prisma', 'vite']);
const manifestSchema = z.looseObject({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()),
});

const lockSchema = z.looseObject({ packages: z.record(z.string(), z.looseObject({ version: z.string() })) });

type Manifest = z.infer<typeof manifestSchema>;

function readManifest(): Manifest {
  return manifestSchema.parse(JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')));
}

/** Runs a program in a folder. Returns its output. @throws Error with the output if it fails */
function run(folder: string, program: string, ...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, words, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

/** Returns the `package.json` of the package: without scripts, and with what runs it only. */
function packageManifest({ version, dependencies, ...rest }: Manifest): Record<string, unknown> {
  const { name, description, license, type, bin, exports } = rest;
  const needed = Object.entries(dependencies).filter(([dependency]) => !BUILD_ONLY.has(dependency));
  return {
    name,
    version,
    description,
    license,
    type,
    // Since 24.7 node:crypto has argon2, which passwords are hashed with.
    engines: { node: '>=24.7' },
    bin,
    exports,
    dependencies: Object.fromEntries(needed),
  };
}

/** Modules that code imports from packages, by its text. */
const IMPORTED = /(?:\bfrom|\bimport|\brequire\(|\bimport\()\s*['"](@?\w[\w./-]*)['"]/g;

/** @throws Error for an imported package that the package does not depend on */
function requireDependencies(folder: string, dependencies: ReadonlySet<string>): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.m?js$/.test(entry.name) || /built|bundle/.test(entry.parentPath)) continue;
    const code = readFileSync(path.join(entry.parentPath, entry.name), 'utf8');
    for (const line of code.split('\n').filter((line) => !/^\s*(?:\/\/|\*|\/\*)/.test(line)))
      for (const [, module = ''] of line.matchAll(IMPORTED)) {
        const name = module
          .split('/')
          .slice(0, module.startsWith('@') ? 2 : 1)
          .join('/');
        if (!isBuiltin(module) && !dependencies.has(name))
          throw new Error(`${path.join(entry.parentPath, entry.name)} imports ${name}, no dependency of the package`);
      }
  }
}

/**
 * Writes the content of the npm package into an empty folder: the modules as JavaScript, in the same tree, and the files that they read.
 * `npm run bundle` must have run. @throws Error if a step fails
 */
export function stagePackage(folder: string): void {
  mkdirSync(folder, { recursive: true });
  run(ROOT, path.join('node_modules', '.bin', 'tsc'), '-p', 'infra/build/tsconfig.package.json', '--outDir', folder);
  for (const file of FILES)
    cpSync(path.join(ROOT, file), path.join(folder, file), {
      recursive: true,
      // Pictures are half of the documentation.
      filter: (source) => !source.endsWith('.png'),
    });
  const manifest = packageManifest(readManifest());
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  requireDependencies(folder, new Set(Object.keys(z.record(z.string(), z.string()).parse(manifest['dependencies']))));
  writeShrinkwrap(folder);
}

/**
 * Locks the packages that the package depends on to those of the checkout: npm removes the others from its lock. With their addresses, an
 * installation reads no lists of versions; npm replaces the registry by the configured one.
 */
function writeShrinkwrap(folder: string): void {
  const lock = path.join(folder, 'package-lock.json');
  cpSync(path.join(ROOT, 'package-lock.json'), lock);
  run(folder, 'npm', 'install', '--package-lock-only', '--ignore-scripts', '--offline', '--no-audit', '--no-fund');
  const { packages, ...rest } = lockSchema.parse(JSON.parse(readFileSync(lock, 'utf8')));
  const located = Object.entries(packages).map(([place, entry]) => {
    const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const file = `${name.slice(name.indexOf('/') + 1)}-${entry.version}.tgz`;
    return [place, place === '' ? entry : { ...entry, resolved: `https://registry.npmjs.org/${name}/-/${file}` }];
  });
  const shrinkwrap = { ...rest, packages: Object.fromEntries(located) };
  writeFileSync(path.join(folder, 'npm-shrinkwrap.json'), `${JSON.stringify(shrinkwrap, null, 2)}\n`);
  rmSync(lock);
}

/** Packs a staged package. Returns the path of the tarball, in the folder `into`. */
export function packStaged(staged: string, into: string): string {
  const packed = run(staged, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', into);
  const [{ filename }] = z.tuple([z.object({ filename: z.string() })]).parse(JSON.parse(packed));
  return path.join(into, filename);
}

if (import.meta.main) {
  rmSync(DIST, { recursive: true, force: true });
  const staged = path.join(DIST, 'package');
  stagePackage(staged);
  process.stdout.write(`${packStaged(staged, DIST)}\n`);
}
