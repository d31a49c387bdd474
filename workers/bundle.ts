import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { z } from 'zod';
import { IS_PACKAGE } from '../config/module-files.ts';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'bundle');
const CODE = join(FOLDER, 'workflows.js');
const META = join(FOLDER, 'workflows.json');
const ENTRY = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

const metaSchema = z.object({ sdkVersion: z.string(), sourcesSha256: z.string() });

/** Reads the notes on the bundle. @throws Error without one */
function readMeta(): z.infer<typeof metaSchema> {
  try {
    return metaSchema.parse(JSON.parse(readFileSync(META, 'utf8')));
  } catch (error) {
    throw new Error('the workflow bundle is missing: run `npm run bundle`', { cause: error });
  }
}

/** Sources of the workflow code: a bundle of other sources would replay other code than the tests. */
function sourcesSha256(): string {
  // The package has no sources. Their hash is that of the checkout, so both replay each other's histories.
  if (IS_PACKAGE) return readMeta().sourcesSha256;
  const hash = createHash('sha256');
  const folder = dirname(ENTRY);
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.ts')) hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
  }
  return hash.digest('hex');
}

/** Short mark of the workflow code: two builds with the same one replay each other's histories. */
export function workflowCodeMark(): string {
  return sourcesSha256().slice(0, 12);
}

/** Version of the SDK that this process runs with. */
function sdkVersion(): string {
  return z.object({ version: z.string() }).parse(createRequire(import.meta.url)('@temporalio/worker/package.json'))
    .version;
}

/** Bundles the workflow code once, ahead of every worker's start, and notes the SDK that it was made with. */
export async function writeBundle(): Promise<void> {
  const silent = () => {};
  const logger = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent };
  const { code } = await bundleWorkflowCode({ workflowsPath: ENTRY, logger });
  mkdirSync(FOLDER, { recursive: true });
  for (const [file, text] of [
    [CODE, code],
    [META, JSON.stringify({ sdkVersion: sdkVersion(), sourcesSha256: sourcesSha256() })],
  ] as const) {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
}

/** The bundle for a worker. @throws Error when there is none, or when it is not of this SDK and these sources: replay could then differ. */
export function readBundle(): { readonly codePath: string } {
  const made = readMeta();
  if (made.sdkVersion !== sdkVersion())
    throw new Error(
      `the workflow bundle was made with SDK ${made.sdkVersion}, this is ${sdkVersion()}: run \`npm run bundle\``,
    );
  if (made.sourcesSha256 !== sourcesSha256())
    throw new Error('the workflow code has changed since it was bundled: run `npm run bundle`');
  return { codePath: CODE };
}
