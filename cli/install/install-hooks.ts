import path from 'node:path';
import { hookUser } from '../../hook/environment.ts';
import { emptyRepository, findGitFolder } from '../../hook/project/git-folder.ts';
import type { CommandContext } from '../command-context.ts';
import type { RunCommand } from '../service/service-commands.ts';
import { applyChanges, diffOf, prepareInstall, prepareUninstall } from './apply-changes.ts';
import type { AppliedChange } from './apply-changes.ts';
import { fileChanges } from './host-files.ts';
import type { HookPlan, InstallHost, Scope, Transport } from './host-files.ts';
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
import { InstallError } from './install-error.ts';
import { hookCommandLine } from '../../hook/command-line.ts';

export interface InstallRequest {
  readonly host: InstallHost;
  readonly scope: Scope;
  readonly dataDir: string;
  readonly transport: Transport | null;
  readonly namespace: string | null;
  readonly server: string | null;
  readonly keyFile: string | null;
  readonly allowPlain: boolean;
  /** Check the server before writing. */
  readonly check: boolean;
  readonly dryRun: boolean;
}

/** System functions that tests replace. */
export interface InstallPorts {
  readonly context: CommandContext;
  readonly run: RunCommand;
  readonly readStdin?: () => string;
}

export const HOST_NAMES: Readonly<Record<InstallHost, string>> = {
  'claude-code': 'Claude Code',
  'codex-cli': 'Codex CLI',
  cursor: 'Cursor',
};

const NEXT: Readonly<Record<InstallHost, string>> = {
  'claude-code': 'Restart Claude Code. Its command /hooks lists the hooks.',
  'codex-cli': 'Restart Codex and trust the new hooks with its command /hooks.',
  cursor: 'Cursor loads the hooks at once. Its settings list them under Hooks.',
};

/** Writes the hooks of an agent and prints the changes. @throws InstallError if it cannot; then nothing was written */
export async function installHooks(request: InstallRequest, ports: InstallPorts): Promise<void> {
  const { host, dataDir, scope } = request;
  const { out } = ports.context.output;
  if (host !== 'claude-code' && request.transport === 'http')
    throw new InstallError('wrong-shape', `${HOST_NAMES[host]} supports command hooks only: remove --transport http.`);
  const access = accessOf(request, ports);
  const named = request.server !== null;
  if (named && request.check) {
    await checkServer(access);
    await rejectAdminKey(access, ports);
  }
  const plan = planOf(request, access);
  const prepared = prepareInstall(fileChanges(host, plan, ports.context.environment));
  if (request.dryRun) {
    const diff = diffOf(prepared);
    out(diff === '' ? 'Nothing to change.\n' : diff);
    if (named) out(`${clientFile(dataDir)} would contain ${access.url}.\n`);
    return;
  }
  const clientChanged = named && writeClientFile(dataDir, access);
  const applied = applyChanges(prepared, new Date());
  const hooks = applied.reduce((sum, { hooks }) => sum + hooks, 0);
  const changed = applied.filter(({ outcome }) => outcome !== 'unchanged');
  if (changed.length === 0 && !clientChanged) {
    out(`Nothing to change: ${HOST_NAMES[host]} has ${hooks} hooks for ${access.url}.\n`);
    return;
  }
  out(`${HOST_NAMES[host]} sends ${hooks} hooks to ${access.url}.\n`);
  for (const change of changed)
    out(
      describe(
        change,
        prepared.some(({ read, isPrivate }) => isPrivate && read.file === change.file),
      ),
    );
  if (clientChanged) out(`  ${clientFile(dataDir)}: address and key of the client, readable by the owner only\n`);
  if (!named && access.isRemote)
    out(`  The server comes from ${clientFile(dataDir)}: delete this file to use the local instance.\n`);
  if (host === 'claude-code' && access.isRemote)
    out('  Transcripts: run recollect service install to send events that hooks missed.\n');
  if (scope.kind === 'project') printProjectHints(scope.folder, dataDir, plan, ports);
  out(`Next: ${NEXT[host]}\n`);
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
    // Events to another machine are lost more often: the client spools them.
    transport: transport ?? (host === 'claude-code' && !access.isRemote ? 'http' : 'client'),
    url: access.url,
    apiKey: access.apiKey,
    namespace,
    command: (event) => hookCommandLine(event, { dataDir, host, ...(namespace === null ? {} : { namespace }) }),
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
  request: { readonly host: InstallHost; readonly scope: Scope; readonly dryRun: boolean },
  { environment, output: { out } }: CommandContext,
): void {
  // Only the file names matter.
  const emptyPlan: HookPlan = {
    scope: request.scope,
    transport: 'http',
    url: '',
    apiKey: '',
    namespace: null,
    command: () => '',
  };
  const prepared = prepareUninstall(fileChanges(request.host, emptyPlan, environment));
  if (request.dryRun) {
    const diff = diffOf(prepared);
    out(diff === '' ? 'Nothing to change.\n' : diff);
    return;
  }
  const changed = applyChanges(prepared, new Date()).filter(({ outcome }) => outcome !== 'unchanged');
  if (changed.length === 0) {
    out(`Nothing to change: ${HOST_NAMES[request.host]} has no hooks of Recollect.\n`);
    return;
  }
  out(`${HOST_NAMES[request.host]} no longer sends hooks to Recollect.\n`);
  for (const change of changed) out(describe(change, false));
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
