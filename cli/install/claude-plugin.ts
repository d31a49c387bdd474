import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Environment } from '../../config/process-environment.ts';
import { settingsFolder } from './hosts.ts';
import type { Scope } from './hosts.ts';

/** Name of the plugin in `plugin/.claude-plugin/plugin.json`, as settings contain it before the name of its marketplace. */
const PLUGIN = /^recollect@/;

const settingsSchema = z.object({ enabledPlugins: z.record(z.string(), z.unknown()).default({}) });

/** Returns what a settings file of Claude Code states about the plugin by id; nothing for a missing or invalid file. */
function statedIn(file: string): readonly (readonly [string, boolean])[] {
  if (!existsSync(file)) return [];
  try {
    const { enabledPlugins } = settingsSchema.parse(JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')));
    return Object.entries(enabledPlugins).flatMap(([id, value]) =>
      PLUGIN.test(id) && typeof value === 'boolean' ? [[id, value] as const] : [],
    );
  } catch {
    return []; // Claude Code does not use such a file either; the installation reports it.
  }
}

/**
 * Returns the id of Recollect's plugin for Claude Code, such as `recollect@recollect`, if it is enabled: for the user, or in the project of the
 * scope, whose settings take precedence. Null otherwise.
 */
export function enabledPlugin(scope: Scope, environment: Environment): string | null {
  const user = settingsFolder('claude-code', { kind: 'user' }, environment);
  const project = scope.kind === 'user' ? null : settingsFolder('claude-code', scope, environment);
  const files = [
    path.join(user, 'settings.json'),
    ...(project === null ? [] : ['settings.json', 'settings.local.json'].map((name) => path.join(project, name))),
  ];
  const stated = new Map(files.flatMap(statedIn));
  return [...stated].find(([, isEnabled]) => isEnabled)?.[0] ?? null;
}
