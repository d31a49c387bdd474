import path from 'node:path';
import { VERSION } from '../../config/version.ts';
import { hookUser } from '../../hook/environment.ts';
import { emptyRepository, findGitFolder } from '../../hook/project/git-folder.ts';
import { copyHookClient, hookClientCopy } from '../../infra/instance/hook-client-copy.ts';
import type { CommandContext } from '../command-context.ts';
import type { RunCommand } from '../service/service-commands.ts';
import { checkClaudeCode } from './agent-version.ts';
import { applyChanges, diffOf, prepareInstall, prepareUninstall } from './apply-changes.ts';
import type { AppliedChange } from './apply-changes.ts';
import { enabledPlugin } from './claude-plugin.ts';
import { fileChanges, settingsFiles } from './host-files.ts';
import type { HookPlan, Transport } from './host-files.ts';
import { HOSTS } from './hosts.ts';
import type { HookHost } from '../../domain/capture/hook-hosts.ts';
import type { Scope } from './hosts.ts';
import {
  checkServer,
  clientFile,
  excessOf,
  knownAgentAccess,
  readKey,
  serverAddress,
  writeClientFile,
} from './server-access.ts';
import type { ServerAccess } from './server-access.ts';
import { assertDurable } from './durable-path.ts';
import { InstallError } from './install-error.ts';
import { backupFiles } from './settings-file.ts';
import { wrap } from '../text/text-layout.ts';
import { hookCommandLine } from '../../hook/command-line.ts';

export interface InstallRequest {
  readonly host: HookHost;
  readonly scope: Scope;
  readonly dataDir: string;
  readonly transport: Transport | null;
  readonly namespace: string | null;
  readonly server: string | null;
  readonly keyFile: string | null;
  readonly allowPlain: boolean;
  /** Check the server and the version of the agent before writing. */
  readonly check: boolean;
  readonly dryRun: boolean;
}

/** System functions that tests replace. */
export interface InstallPorts {
  readonly context: CommandContext;
  readonly run: RunCommand;
  readonly readStdin?: () => string;
}

/** Writes the hooks of an agent and prints the changes. @throws InstallError if it cannot; then nothing was written */
export async function installHooks(request: InstallRequest, ports: InstallPorts): Promise<void> {
  const { host, dataDir, scope } = request;
  const { out } = ports.context.output;
  if (host !== 'claude-code' && request.transport === 'http')
    throw new InstallError('wrong-shape', `${HOSTS[host].name} supports command hooks only: remove --transport http.`);
  assertDurable(process.execPath);
  const plugin = host === 'claude-code' ? enabledPlugin(scope, ports.context.environment) : null;
  if (plugin !== null && (request.transport !== null || request.namespace !== null))
    throw new InstallError(
      'plugin-enabled',
      `The plugin ${plugin} sends the hooks of Claude Code, without --transport and --namespace. To install hooks with these options instead, run claude plugin disable ${plugin} first. Nothing was written.`,
    );
  if (host === 'claude-code' && request.check) checkClaudeCode(ports.run);
  const access = accessOf(request, ports);
  const named = request.server !== null;
  if (named && request.check) {
    await checkServer(access);
    await rejectAdminKey(access, ports);
  }
  if (plugin !== null) {
    leaveToPlugin(plugin, request, access, ports);
    return;
  }
  const plan = planOf(request, access);
  const prepared = prepareInstall(fileChanges(host, plan, ports.context.environment));
  if (request.dryRun) {
    const diff = diffOf(prepared);
    out(diff === '' ? 'Nothing to change.\n' : `${eventList(host, plan)}${diff}`);
    if (named) out(`${clientFile(dataDir)} would contain ${access.url}.\n`);
    return;
  }
  const clientChanged = named && writeClientFile(dataDir, access);
  const isCopied = copyHookClient(dataDir);
  const applied = applyChanges(prepared, new Date());
  const hooks = applied.reduce((sum, { hooks }) => sum + hooks, 0);
  const changed = applied.filter(({ outcome }) => outcome !== 'unchanged');
  if (changed.length === 0 && !clientChanged && !isCopied) {
    out(`Nothing to change: ${HOSTS[host].name} has ${hooks} hooks for ${access.url}.\n`);
    return;
  }
  out(`${HOSTS[host].name} sends ${hooks} hooks to ${access.url}.\n`);
  for (const change of changed)
    out(
      describe(
        change,
        prepared.some(({ read, isPrivate }) => isPrivate && read.file === change.file),
      ),
    );
  if (isCopied) out(`  ${hookClientCopy(dataDir)}: the client of version ${VERSION}, which the hooks run\n`);
  if (clientChanged) out(`  ${clientFile(dataDir)}: address and key of the client, readable by the owner only\n`);
  if (!named && access.isRemote)
    out(`  The server comes from ${clientFile(dataDir)}: delete this file to use the local instance.\n`);
  if (plan.transport === 'http')
    out('  Events are lost while the server is unreachable, unless transcripts supply them (docs/transcripts.md).\n');
  if (host === 'claude-code' && access.isRemote)
    out('  Transcripts: run recollect service install to send events that hooks missed.\n');
  if (scope.kind === 'project') printProjectHints(scope.folder, dataDir, plan, ports);
  out(`Next: ${HOSTS[host].next}\n`);
}

/** Removes the hooks of an earlier installation, since the plugin sends the same events, and writes the server for it. */
function leaveToPlugin(plugin: string, request: InstallRequest, access: ServerAccess, ports: InstallPorts): void {
  const { host, scope, dataDir, dryRun, server } = request;
  const { out } = ports.context.output;
  const prepared = prepareUninstall(settingsFiles(host, scope, ports.context.environment));
  out(`The plugin ${plugin} sends the hooks of Claude Code: install adds none beside it.\n`);
  if (dryRun) {
    out(diffOf(prepared));
    if (server !== null) out(`${clientFile(dataDir)} would contain ${access.url}.\n`);
    return;
  }
  if (server !== null && writeClientFile(dataDir, access))
    out(`  ${clientFile(dataDir)}: address and key of the client, readable by the owner only\n`);
  for (const change of applyChanges(prepared, new Date()))
    if (change.outcome !== 'unchanged') out(describe({ ...change, backup: null }, false));
}

/** Every program of an agent can read its key: throws for the scope admin, warns for the scope write. */
async function rejectAdminKey(access: ServerAccess, { context }: InstallPorts): Promise<void> {
  const excess = await excessOf(access);
  if (excess === 'admin')
    throw new InstallError(
      'key-too-strong',
      `This key has the scope admin, which agents must not have. Use agent_api_key of the server's credentials.json, or a key with the scopes capture and read; --no-check installs it anyway.`,
    );
  if (excess === 'write') context.output.err('This key has the scope write: agents need only capture and read.\n');
}

/** Returns the hooks for a server. The client's command contains the data directory, which also identifies it as Recollect's. */
function planOf({ host, scope, transport, namespace, dataDir }: InstallRequest, access: ServerAccess): HookPlan {
  return {
    scope,
    transport: transport ?? 'client',
    url: access.url,
    apiKey: access.apiKey,
    namespace,
    command: (event) =>
      hookCommandLine(event, {
        client: hookClientCopy(dataDir),
        dataDir,
        host,
        ...(namespace === null ? {} : { namespace }),
      }),
  };
}

function accessOf(request: InstallRequest, { readStdin }: InstallPorts): ServerAccess {
  if (request.server === null) {
    if (request.keyFile !== null) throw new InstallError('bad-key', '--api-key-file requires --server.');
    return knownAgentAccess(request.dataDir);
  }
  if (request.keyFile === null)
    throw new InstallError('bad-key', '--server requires --api-key-file FILE, or - to read the key from stdin.');
  return {
    url: serverAddress(request.server, request.allowPlain),
    apiKey: readKey(request.keyFile, readStdin),
    isRemote: true,
  };
}

/** Removes Recollect's hooks and key from an agent's files and prints the changes. @throws InstallError if it cannot; then nothing was written */
export function uninstallHooks(
  request: { readonly host: HookHost; readonly scope: Scope; readonly dryRun: boolean },
  { environment, output: { out } }: CommandContext,
): void {
  const prepared = prepareUninstall(settingsFiles(request.host, request.scope, environment));
  if (request.dryRun) {
    const diff = diffOf(prepared);
    out(diff === '' ? 'Nothing to change.\n' : diff);
    return;
  }
  const changed = applyChanges(prepared, new Date()).filter(({ outcome }) => outcome !== 'unchanged');
  out(
    changed.length === 0
      ? `Nothing to change: ${HOSTS[request.host].name} has no hooks of Recollect.\n`
      : `${HOSTS[request.host].name} no longer sends hooks to Recollect.\n`,
  );
  for (const change of changed) out(describe({ ...change, backup: null }, false));
  const backups = prepared.flatMap(({ read }) => backupFiles(read.file));
  if (backups.length > 0) out('Backups of the settings, to delete when no longer needed:\n');
  for (const file of backups) out(`  ${file}\n`);
}

/** Returns the events before a diff, in which each has a hook of one line. */
function eventList(host: HookHost, { transport, url }: HookPlan): string {
  const { name, events } = HOSTS[host];
  const how = transport === 'client' ? 'through the client' : 'over HTTP, SessionStart through the client';
  const lines = wrap(events.join(', '), '  ');
  return `${name} would send ${events.length} events to ${url} ${how}:\n${lines.join('\n')}\n\n`;
}

function describe({ file, outcome, backup, hooks }: AppliedChange, isPrivate: boolean): string {
  const contents = [hooks === 0 ? '' : `${hooks} hooks`, isPrivate ? 'the key, readable by the owner only' : ''].filter(
    (part) => part !== '',
  );
  return `  ${file}: ${outcome}${contents.length === 0 ? '' : `; ${contents.join(', ')}`}\n${
    backup === null ? '' : `    backup: ${backup}\n`
  }`;
}

/** Project settings are committed: warns if the key would be, too. */
function printProjectHints(folder: string, dataDir: string, plan: HookPlan, ports: InstallPorts): void {
  const { out, err } = ports.context.output;
  out('  The hooks contain the path of the client on this machine; on other machines, run the installation again.\n');
  const local = path.resolve(folder, '.claude', 'settings.local.json');
  if (plan.transport === 'http' && wouldGitAdd(local, dataDir, ports))
    err(`${local} contains the key and git does not ignore it: add it to .gitignore before you commit.\n`);
}

/** Returns true if git would add a file. Runs in an empty repository, since a repository's configuration can start programs. */
function wouldGitAdd(file: string, dataDir: string, { context, run }: InstallPorts): boolean {
  const found = findGitFolder(path.dirname(file), hookUser(context.environment));
  const empty = emptyRepository(dataDir, 'sha1');
  if (found === null || empty === null) return false;
  const isBelow = file.startsWith(`${found.root}${path.sep}`);
  const tree = isBelow ? found.root : path.dirname(path.dirname(file));
  const outcome = run('git', [`--git-dir=${empty}`, `--work-tree=${tree}`, 'check-ignore', '-q', file], tree);
  return outcome.kind === 'ended' && outcome.exitCode === 1;
}
