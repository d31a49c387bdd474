import type { Environment } from '../../config/process-environment.ts';
import { HOSTS } from '../install/hosts.ts';
import { hostsWithHooks, pluginHere } from '../install/installed.ts';
import { finding } from './machine.ts';
import type { Finding } from './machine.ts';

/** Lists the agents that send hooks; warns if Claude Code has both the plugin and hooks of `install`. */
export function checkAgents(environment: Environment): Finding {
  const what = 'agents';
  const hosts = hostsWithHooks(environment);
  const plugin = pluginHere(environment);
  if (plugin !== null && hosts.includes('claude-code'))
    return finding(
      'warn',
      what,
      `Claude Code has the plugin ${plugin} and installed hooks, two processes for each event`,
      'Run recollect install claude-code, which removes the hooks that the plugin replaces.',
    );
  const names = hosts.map((host) => HOSTS[host].name);
  const connected = plugin === null ? names : [`Claude Code (plugin ${plugin})`, ...names];
  // No fault: a server has no agents of its own.
  return finding(
    'ok',
    what,
    connected.length > 0 ? connected.join(', ') : 'none sends hooks; recollect install adds them',
  );
}
