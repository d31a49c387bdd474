import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';

const SOURCES = path.resolve(import.meta.dirname, '..', '..', 'client');
const BUILT = path.join(SOURCES, 'built');
/** Files with types only, copied unchanged. */
const CONTRACT = /^contract(?:-[a-z]+)?\.ts$/;
const HEAD = '// Generated from client/ by infra/build/typed-client.ts.\n';

/** Import suffix, .js in the built files. */
const MODULE = /(\bfrom\s+'\.\/[\w-]+)\.ts'/g;

/**
 * Declarations of the client class and the error. A test compares them with the sources.
 */
const DECLARED = `${HEAD}import type { BatchItem, ClientOptions, ErrorDetail, RecollectApi } from './contract.js';
export type * from './contract.js';

/** A memory server, over HTTP. Every method rejects with RecollectError. */
export interface RecollectClient extends RecollectApi {}
export declare class RecollectClient {
  constructor(options: ClientOptions);
}

/** Error response, or no response: the only error of the client. */
export declare class RecollectError extends Error {
  readonly name: 'RecollectError';
  /** HTTP status; 0 without a response. */
  readonly status: number;
  /** Error code of the server, or a ClientErrorCode. */
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  /** Id of the request in the server's log. */
  readonly requestId: string | null;
  /** Retry delay from the server. */
  readonly retryAfterMs: number | null;
  /** For \`storeBatch\`: results of the memories before the failed ones. */
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

/** Returns the files of the built client by name: JavaScript modules and type declarations. */
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

/** Returns a module without types and without the blank lines that they leave. */
function built(source: string): string {
  return stripTypeScriptTypes(source)
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{2,}/g, '\n')
    .replaceAll(MODULE, "$1.js'")
    .trimStart();
}

/** Writes `recollect/client` atomically. */
export function writeTypedClient(): void {
  mkdirSync(BUILT, { recursive: true });
  for (const [name, text] of typedClientFiles()) {
    const file = path.join(BUILT, name);
    writeFileSync(`${file}.${process.pid}.tmp`, text);
    renameSync(`${file}.${process.pid}.tmp`, file);
  }
}

if (import.meta.main) writeTypedClient();
