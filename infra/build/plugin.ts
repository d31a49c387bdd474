import path from 'node:path';
import { hookClientFiles } from './hook-client.ts';
import { replaceFile } from './replace-file.ts';

/** Folder of the hook client in the plugin. In git: Claude Code installs a plugin by copying its folder, without a build step. */
export const PLUGIN_SCRIPTS = path.resolve(import.meta.dirname, '..', '..', 'plugin', 'scripts');

/** Writes the hook client into the plugin of Claude Code. */
function writePluginClient(): void {
  const { client, later } = hookClientFiles();
  replaceFile(path.join(PLUGIN_SCRIPTS, 'later.cjs'), later);
  replaceFile(path.join(PLUGIN_SCRIPTS, 'client.cjs'), client);
}

if (import.meta.main) writePluginClient();
