import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';

const SOURCES = path.resolve(import.meta.dirname, '..', '..', 'client');
const BUILT = path.join(SOURCES, 'built');
/** Files of types alone, which are handed on as they are. */
const CONTRACT = /^contract(?:-[a-z]+)?\.ts$/;
const HEAD = '// Made from client/ by infra/build/typed-client.ts.\n';

/** Names of modules end in .ts here, in .js where they are built. */
const MODULE = /(\bfrom\s+'\.\/[\w-]+)\.ts'/g;

/**
 * What is no type: the class and the error, whose methods and fields stand in the contract. A test holds them to the sources.
 */
const DECLARED = `${HEAD}import type { BatchItem, ClientOptions, ErrorDetail, RecollectApi } from './contract.js';
export type * from './contract.js';

/** A memory server, over HTTP. Every method rejects with RecollectError. */
export interface RecollectClient extends RecollectApi {}
export declare class RecollectClient {
  constructor(options: ClientOptions);
}

/** The server said no, or did not answer: the only error that the client rejects with. */
export declare class RecollectError extends Error {
  readonly name: 'RecollectError';
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** The server's machine code, or a ClientErrorCode. */
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  /** By which the server's log knows the request. */
  readonly requestId: string | null;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | null;
  /** Of \`storeBatch\`: what became of the memories before those that failed. */
  readonly items: readonly BatchItem[];
  constructor(
    message: string,
    failure: {
      readonly status: number;
      readonly code: string;
      readonly details?: readonly ErrorDetail[];
      readonly requestId?: string | null;
      readonly retryAfterMs?: number | null;
      readonly items?: readonly BatchItem[];
      readonly cause?: unknown;
    },
  );
}
`;

/** The files of the built client by name: modules of JavaScript, and what TypeScript wants to know of them. */
export function typedClientFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(SOURCES)) {
    if (!name.endsWith('.ts')) continue;
    const source = readFileSync(path.join(SOURCES, name), 'utf8');
    if (CONTRACT.test(name)) files.set(name.replace(/\.ts$/, '.d.ts'), `${HEAD}${source.replaceAll(MODULE, "$1.js'")}`);
    else files.set(name.replace(/\.ts$/, '.js'), `${HEAD}${built(source)}`);
  }
  files.set('index.d.ts', DECLARED);
  return files;
}

/** A module without its types. They leave blanks behind, which a line that holds nothing else does not keep. */
function built(source: string): string {
  return stripTypeScriptTypes(source)
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{2,}/g, '\n')
    .replaceAll(MODULE, "$1.js'")
    .trimStart();
}

/** Writes the client that programs import as `recollect/client`: one that is imported meanwhile reads old files or new ones. */
export function writeTypedClient(): void {
  mkdirSync(BUILT, { recursive: true });
  for (const [name, text] of typedClientFiles()) {
    const file = path.join(BUILT, name);
    writeFileSync(`${file}.${process.pid}.tmp`, text);
    renameSync(`${file}.${process.pid}.tmp`, file);
  }
}

if (import.meta.main) writeTypedClient();
