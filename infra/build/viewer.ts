import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { replaceFile } from './replace-file.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..', 'viewer');
const BUILT = path.join(ROOT, 'built');
const ENTRY = 'index.html';

/** Limits of the files after gzip, in bytes: a larger viewer fails the build. */
export const BUDGETS = { initialScripts: 45_000, styles: 8_000, page: 25_000, all: 200_000 } as const;
type Budget = keyof typeof BUDGETS;

/** A built file before compression, with the files that it imports. */
interface BuiltFile {
  readonly content: Buffer;
  readonly imports: readonly string[];
  readonly lazyImports: readonly string[];
}

const gzipped = (content: Buffer): Buffer => gzipSync(content, { level: 9 });
const brotli = (content: Buffer): Buffer =>
  brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } });

/** Builds the viewer in memory. Returns its files by name; the names contain hashes of their content, and the same sources give the same names. */
async function buildFiles(): Promise<ReadonlyMap<string, BuiltFile>> {
  const result = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    base: '/',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      write: false,
      target: 'es2022',
      // A script that the policy of the page rejects.
      modulePreload: { polyfill: false },
      // Images in addresses, which the policy of the page rejects.
      assetsInlineLimit: 0,
      cssCodeSplit: false,
    },
  });
  if (!('output' in result)) throw new Error('the build of the viewer returned no files');
  return new Map(
    result.output.map((file) => [
      file.fileName,
      file.type === 'chunk'
        ? { content: Buffer.from(file.code), imports: file.imports, lazyImports: file.dynamicImports }
        : { content: Buffer.from(file.source), imports: [], lazyImports: [] },
    ]),
  );
}

/** Returns a script and what it imports at once. */
function loadedWith(files: ReadonlyMap<string, BuiltFile>, name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  for (const imported of files.get(name)?.imports ?? []) loadedWith(files, imported, found);
  return found;
}

/** Returns the sizes after gzip that the budgets limit: of pages, the largest. */
export function measured(files: ReadonlyMap<string, BuiltFile>): Readonly<Record<Budget, number>> {
  const html = files.get(ENTRY)?.content.toString() ?? '';
  const sizeOf = (names: Iterable<string>): number =>
    [...names].reduce((sum, name) => sum + gzipped(files.get(name)?.content ?? Buffer.of()).length, 0);
  const initial = new Set<string>();
  for (const name of files.keys()) if (name.endsWith('.js') && html.includes(name)) loadedWith(files, name, initial);
  const pages = [...files.values()].flatMap(({ lazyImports }) => lazyImports);
  const page = pages.map((name) => sizeOf([...loadedWith(files, name)].filter((each) => !initial.has(each))));
  return {
    initialScripts: sizeOf(initial),
    styles: sizeOf([...files.keys()].filter((name) => name.endsWith('.css'))),
    page: Math.max(0, ...page),
    all: sizeOf(files.keys()),
  };
}

/** @throws Error naming the sizes that exceed their budget */
function requireBudgets(sizes: Readonly<Record<Budget, number>>): void {
  const names: readonly Budget[] = ['initialScripts', 'styles', 'page', 'all'];
  const exceeded = names.filter((name) => sizes[name] > BUDGETS[name]);
  if (exceeded.length > 0)
    throw new Error(
      `the viewer is too large (bytes after gzip): ${exceeded.map((name) => `${name} ${sizes[name]} of ${BUDGETS[name]}`).join(', ')}`,
    );
}

/** Builds the viewer into `viewer/built/`: each file also compressed by Brotli and gzip. Returns the sizes. @throws Error beyond a budget */
export async function writeViewer(): Promise<Readonly<Record<Budget, number>>> {
  const files = await buildFiles();
  const sizes = measured(files);
  requireBudgets(sizes);
  const names = new Set<string>();
  // The page comes last: it names the others.
  for (const [name, { content }] of [...files].toSorted(
    ([first], [second]) => Number(first === ENTRY) - Number(second === ENTRY),
  ))
    for (const [written, bytes] of [
      [name, content],
      [`${name}.gz`, gzipped(content)],
      [`${name}.br`, brotli(content)],
    ] as const) {
      replaceFile(path.join(BUILT, written), bytes);
      names.add(written);
    }
  for (const name of readdirSync(BUILT, { recursive: true, withFileTypes: true })) {
    const file = path.relative(BUILT, path.join(name.parentPath, name.name));
    if (name.isFile() && !names.has(file) && !file.endsWith('.tmp')) rmSync(path.join(BUILT, file), { force: true });
  }
  return sizes;
}

if (import.meta.main) {
  const sizes = await writeViewer();
  for (const [name, bytes] of Object.entries(sizes))
    process.stdout.write(`${name}: ${(bytes / 1_000).toFixed(1)} KB\n`);
}
