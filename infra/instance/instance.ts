import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { instanceLayout } from './layout.ts';
import type { InstanceLayout } from './layout.ts';
import { choosePorts } from './ports.ts';
import type { Ports } from './ports.ts';
import { readOrCreateSecrets } from './secrets.ts';
import type { Secrets } from './secrets.ts';
import { checkVersionStamp } from './version-stamp.ts';
import { InstanceError } from './instance-error.ts';

/** A data directory opened for running. */
export interface Instance {
  readonly layout: InstanceLayout;
  readonly secrets: Secrets;
  readonly ports: Ports;
}

export interface OpenInstanceOptions {
  readonly apiPort?: number | undefined;
  readonly preferPorts?: 'saved' | 'free';
}

/** Creates a folder unless it exists. Not `recursive`, which repeats without end where a system refuses folders with ENOENT, as /proc does. */
function makeFolder(folder: string, mode?: number): void {
  if (existsSync(folder)) return;
  // Parent folders have default modes; the instance's are private.
  makeFolder(path.dirname(folder));
  try {
    mkdirSync(folder, mode);
  } catch (error) {
    // Another process was faster.
    if (!existsSync(folder)) throw error;
  }
}

/** Creates the folders of a data directory and checks its version; safe while it runs. @throws InstanceError */
export function prepareDataDirectory(dataDir: string): InstanceLayout {
  const layout = instanceLayout(dataDir);
  try {
    for (const folder of [layout.dataDir, layout.run, layout.logs]) makeFolder(folder, 0o700);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InstanceError(
      'unusable-data-dir',
      `The data directory ${layout.dataDir} cannot be used: ${reason}. Choose another with --data-dir.`,
      { cause: error },
    );
  }
  checkVersionStamp(layout.versionFile);
  return layout;
}

/**
 * Opens a data directory for running: folders, version stamp, secrets (created once) and free ports.
 * Requires the instance's lock and no running process of it, whose ports would count as in use.
 * @throws InstanceError
 */
export async function openInstance(dataDir: string, options: OpenInstanceOptions = {}): Promise<Instance> {
  const layout = prepareDataDirectory(dataDir);
  const secrets = readOrCreateSecrets(layout.secretsFile);
  const ports = await choosePorts({
    file: layout.portsFile,
    api: options.apiPort,
    prefer: options.preferPorts ?? 'saved',
  });
  return { layout, secrets, ports };
}
