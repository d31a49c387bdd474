import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { z } from 'zod';
import { declarationOf } from './declarations.ts';
import type { ShapeKind } from './declarations.ts';
import { replaceFile } from './replace-file.ts';

const SOURCES = path.resolve(import.meta.dirname, '..', '..', 'client');
const BUILT = path.join(SOURCES, 'built');
const HEAD = '// Generated from client/ by infra/build/typed-client.ts.\n';

/** Import suffix, .js in the built files. */
const MODULE = /(\bfrom\s+'\.\/[\w-]+)\.ts'/g;
/** Lines of `client/shapes.ts`. */
const SCHEMAS = /^import type \{([^}]+)\} from '(\.\.\/contract\/[\w-]+\.ts)';$/gm;
const SHAPE = /^export type (\w+) = (Answer|Body|Query)<typeof (\w+)>;$/gm;

/** Declarations of the classes; their members are in `client/contract.ts`. */
const CLASSES = `${HEAD}import type { ClientOptions, Failure, RecollectApi } from './contract.js';
export type * from './contract.js';

/** A memory server, over HTTP. Every method rejects with RecollectError. */
export interface RecollectClient extends RecollectApi {}
export declare class RecollectClient {
  constructor(options: ClientOptions);
}

/** Error response, or no response: the only error of the client. */
export interface RecollectError extends Required<Omit<Failure, 'cause'>> {}
export declare class RecollectError extends Error {
  readonly name: 'RecollectError';
  constructor(message: string, failure: Failure);
}
`;

/** Returns the declarations of the shapes that `client/shapes.ts` names, from their schemas. @throws Error for a name without a schema */
async function shapeDeclarations(source: string): Promise<string> {
  const schemas = new Map<string, unknown>();
  for (const [, names = '', file = ''] of source.matchAll(SCHEMAS)) {
    const contract: object = await import(path.resolve(SOURCES, file));
    for (const [name, value] of Object.entries(contract))
      if (names.split(/[\s,]+/).includes(name)) schemas.set(name, value);
  }
  const shapes = [...source.matchAll(SHAPE)];
  const declared = new Set(shapes.map(([, name = '']) => name));
  const declarations = shapes.map(([, name = '', kind, schemaName = '']) => {
    const schema = schemas.get(schemaName);
    if (!(schema instanceof z.ZodType)) throw new Error(`client/shapes.ts: ${schemaName} is no schema of contract/`);
    return declarationOf(name, kindOf(kind), schema, declared);
  });
  return `${HEAD}${declarations.join('\n')}`;
}

function kindOf(kind: string | undefined): ShapeKind {
  return kind === 'Body' || kind === 'Query' ? kind : 'Answer';
}

/** Returns the files of the built client by name: JavaScript modules and type declarations. */
export async function typedClientFiles(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const name of readdirSync(SOURCES)) {
    if (!name.endsWith('.ts')) continue;
    const source = readFileSync(path.join(SOURCES, name), 'utf8');
    if (name === 'shapes.ts') files.set('shapes.d.ts', await shapeDeclarations(source));
    else if (name === 'contract.ts') files.set('contract.d.ts', `${HEAD}${source.replaceAll(MODULE, "$1.js'")}`);
    else files.set(name.replace(/\.ts$/, '.js'), `${HEAD}${built(source)}`);
  }
  files.set('index.d.ts', CLASSES);
  return files;
}

/** Returns a module without types and without the blank lines that they leave. */
function built(source: string): string {
  return stripTypeScriptTypes(source)
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{2,}/g, '\n')
    .replaceAll(MODULE, "$1.js'")
    .trimStart();
}

/** Writes `recollect/client`, each file atomically, and removes files of an earlier build. */
export async function writeTypedClient(): Promise<void> {
  const files = await typedClientFiles();
  for (const [name, text] of files) replaceFile(path.join(BUILT, name), text);
  for (const name of readdirSync(BUILT))
    if (!files.has(name) && !name.endsWith('.tmp')) rmSync(path.join(BUILT, name), { force: true });
}

if (import.meta.main) await writeTypedClient();
