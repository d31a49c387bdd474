import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';
import { replaceFile } from './replace-file.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const ENTRY = 'hook/main.ts';
const BUILT = path.join(ROOT, 'hook', 'built');

const IMPORT =
  /^import\s+(?:(?<namespace>\*\s+as\s+\w+)|\{(?<names>[^}]*)\}|(?<defaultName>\w+))\s+from\s+'(?<from>[^']+)';/gm;
const RE_EXPORT = /^export\s+\{[^}]*\}\s+from\b.*/m;
const EXPORT = /^export\s+(?=(?:async\s+)?(?:function\s*\*?|class|const)\s+(?<name>\w+))/gm;
const LATER = /\bimport\(\s*'(?<from>[^']+)'\s*\)/g;
const LEFT_OVER = /^(?:import|export)\b.*/m;

/** A module as CommonJS with its local imports: static (`now`) and dynamic (`later`). */
interface BuiltModule {
  readonly code: string;
  readonly now: readonly string[];
  readonly later: readonly string[];
}

/** Strips types and converts imports and exports to CommonJS. @throws Error for unsupported syntax */
export function buildModule(id: string, source: string): BuiltModule {
  const now: string[] = [];
  const later: string[] = [];
  const own = (from: string): string | null =>
    from.startsWith('.') ? path.posix.join(path.posix.dirname(id), from) : null;
  const taken = (from: string): string => {
    const module = own(from);
    if (module === null) return `require('${from}')`;
    now.push(module);
    return `take('${module}')`;
  };
  const names: string[] = [];
  const body = stripTypeScriptTypes(source)
    .replaceAll(IMPORT, (...match: unknown[]) => {
      const groups = groupsOf(match);
      const { from = '', namespace, names: list, defaultName } = groups;
      const value = taken(from);
      if (namespace !== undefined) return `const ${namespace.replace(/^\*\s+as\s+/, '')} = ${value};`;
      if (list !== undefined) return `const {${list.replaceAll(/\s+as\s+/g, ': ')}} = ${value};`;
      // The default import of a Node or CommonJS module is the module itself.
      return `const ${defaultName ?? ''} = ${value}.default ?? ${value};`;
    })
    .replaceAll(EXPORT, (...match: unknown[]) => {
      names.push(groupsOf(match)['name'] ?? '');
      return '';
    })
    .replaceAll(LATER, (...match: unknown[]) => {
      const { from = '' } = groupsOf(match);
      const module = own(from);
      if (module === null) throw new Error(`${id}: import('${from}') is not a local module`);
      later.push(module);
      return `Promise.resolve().then(() => take('${module}'))`;
    });
  const unknown = RE_EXPORT.exec(body)?.[0] ?? LEFT_OVER.exec(body)?.[0];
  if (unknown !== undefined) throw new Error(`${id}: unsupported syntax in the hook client: ${unknown}`);
  const getters = names.map((name) => `  get ${name}() { return ${name}; },\n`).join('');
  // Getters: live bindings as in ES modules.
  const code = `${JSON.stringify(id)}(give, take, require) {\ngive({\n${getters}});\n${withoutBlankLines(body)}\n},\n`;
  return { code, now, later };
}

function groupsOf(match: readonly unknown[]): Readonly<Record<string, string | undefined>> {
  const groups = match.at(-1);
  return groups !== null && typeof groups === 'object' ? { ...groups } : {};
}

/** Removes blank lines that stripped types leave. Template literals may lose blank lines; none is sent or shown. */
function withoutBlankLines(code: string): string {
  return code.replaceAll(/^[ \t]+$/gm, '').replaceAll(/\n{2,}/g, '\n');
}

/** Returns the modules and their static imports, without those in `known`. */
function gather(entries: readonly string[], known: ReadonlySet<string>): Map<string, BuiltModule> {
  const built = new Map<string, BuiltModule>();
  const waiting = [...entries];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (built.has(id) || known.has(id)) continue;
    const module = buildModule(id, readFileSync(path.join(ROOT, id), 'utf8'));
    built.set(id, module);
    waiting.push(...module.now);
  }
  return built;
}

const RUNTIME = `
const made = new Map();
let later;
function take(id) {
  const known = made.get(id);
  if (known !== undefined) return known;
  let make = modules[id];
  if (make === undefined) make = (later ??= require('./later.cjs'))[id];
  let module = {};
  made.set(id, module);
  make((exports) => { module = exports; made.set(id, module); }, take, require);
  return module;
}
`;

/** Returns the client's two files: code for every hook, and code loaded on demand (spool, redaction, git, HTTPS). */
export function hookClientFiles(): { readonly client: string; readonly later: string } {
  const first = gather([ENTRY], new Set());
  const rest = new Map<string, BuiltModule>();
  let pending = [...first.values()].flatMap((module) => module.later);
  while (pending.length > 0) {
    const more = gather(pending, new Set([...first.keys(), ...rest.keys()]));
    for (const [id, module] of more) rest.set(id, module);
    pending = [...more.values()].flatMap((module) => module.later);
  }
  const head = `// Generated from hook/ by infra/build/hook-client.ts.\n'use strict';\n`;
  const codes = (modules: ReadonlyMap<string, BuiltModule>) => [...modules.values()].map(({ code }) => code).join('');
  return {
    client: `${head}const modules = {\n${codes(first)}};\n${RUNTIME}const words = process.argv.slice(2);\ntake('${ENTRY}').main(words[0] === 'hook' ? words.slice(1) : words, __filename);\n`,
    later: `${head}module.exports = {\n${codes(rest)}};\n`,
  };
}

/** @throws SyntaxError */
function checkSyntax(code: string, filename: string): Script {
  return new Script(code, { filename });
}

/** Writes the client atomically. */
export function writeHookClient(): void {
  const { client, later } = hookClientFiles();
  for (const [name, code] of [
    ['later.cjs', later],
    ['client.cjs', client],
  ] as const) {
    const file = path.join(BUILT, name);
    // Rejects invalid JavaScript before it is installed.
    checkSyntax(`(function (require, module, __filename) {${code}\n})`, file);
    replaceFile(file, code);
  }
}

if (import.meta.main) writeHookClient();
