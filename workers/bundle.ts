import { readFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import { z } from 'zod';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'bundle');
const CODE = join(FOLDER, 'workflows.js');
const META = join(FOLDER, 'workflows.json');
const ENTRY = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

const metaSchema = z.object({ sdkVersion: z.string() });

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
    [META, JSON.stringify({ sdkVersion: sdkVersion() })],
  ] as const) {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
}

/** The bundle for a worker. @throws Error when there is none, or when another version of the SDK made it: replay could then differ. */
export function readBundle(): { readonly codePath: string } {
  let meta: string;
  try {
    meta = readFileSync(META, 'utf8');
  } catch (error) {
    throw new Error('the workflow bundle is missing: run `npm run bundle`', { cause: error });
  }
  const made = metaSchema.parse(JSON.parse(meta)).sdkVersion;
  if (made !== sdkVersion())
    throw new Error(`the workflow bundle was made with SDK ${made}, this is ${sdkVersion()}: run \`npm run bundle\``);
  return { codePath: CODE };
}
