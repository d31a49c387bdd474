import type { Environment } from '../../config/process-environment.ts';
import { prepareUninstall } from './apply-changes.ts';
import { enabledPlugin } from './claude-plugin.ts';
import { settingsFiles } from './host-files.ts';
import { HOOK_HOSTS } from '../../domain/capture/hook-hosts.ts';
import type { HookHost } from '../../domain/capture/hook-hosts.ts';
import type { Scope } from './hosts.ts';
import { InstallError } from './install-error.ts';

const SCOPES: readonly Scope[] = [{ kind: 'user' }, { kind: 'project', folder: '.' }];

/** Returns the agents with hooks of `install` in the user's settings or in those of this folder. */
export function hostsWithHooks(environment: Environment): readonly HookHost[] {
  return HOOK_HOSTS.filter((host) =>
    SCOPES.some((scope) => {
      try {
        return prepareUninstall(settingsFiles(host, scope, environment)).some(({ read, text }) => text !== read.text);
      } catch (error) {
        // Settings that install could not change have no hooks of it.
        if (error instanceof InstallError) return false;
        throw error;
      }
    }),
  );
}

/** Returns the id of the plugin for Claude Code if it is enabled for the user or in this folder; else null. */
export function pluginHere(environment: Environment): string | null {
  return SCOPES.map((scope) => enabledPlugin(scope, environment)).find((plugin) => plugin !== null) ?? null;
}

/** Returns true if an agent sends hooks of Recollect. */
export function hasHooks(environment: Environment): boolean {
  return pluginHere(environment) !== null || hostsWithHooks(environment).length > 0;
}
