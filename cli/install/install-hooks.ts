import path from 'node:path';
import { hookCommandLine } from '../../hook/command-line.ts';
import { hookUser } from '../../hook/environment.ts';
import { emptyRepository } from '../../hook/project/empty-repository.ts';
import { findGitFolder } from '../../hook/project/git-folder.ts';
import type { CommandContext } from '../command-context.ts';
import type { RunCommand } from '../service/run-command.ts';
import { type AppliedChange, applyChanges, diffOf, prepareInstall, prepareUninstall } from './apply-changes.ts';
import { fileChanges, type HookPlan, type InstallHost, type Scope, type Transport } from './host-files.ts';
import { InstallError } from './install-error.ts';
import {
  checkServer,
  clientFile,
  excessOf,
  knownAgentAccess,
  readKey,
  serverAddress,
  type ServerAccess,
  writeClientFile,
} from './server-access.ts';

export interface InstallRequest {
  readonly host: InstallHost;
  readonly scope: Scope;
  readonly dataDir: string;
  readonly transport: Transport | null;
  readonly namespace: string | null;
  readonly server: string | null;
  readonly keyFile: string | null;
  readonly allowPlain: boolean;
  /** Ask a named server before anything is written. */
  readonly check: boolean;
  readonly dryRun: boolean;
}

/** What installing takes from its surroundings. */
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
  'claude-code': 'Start Claude Code anew. Its command /hooks lists them.',
  'codex-cli':
    'Start Codex anew and let it run them by its command /hooks: new hooks are not run before you trusted them.',
  cursor: 'Cursor reads them at once. Its settings list them under Hooks.',
};

/** Writes the hooks of an agent and says what it did. Throws InstallError when it cannot; then nothing was written. */
export async function installHooks(request: InstallRequest, ports: InstallPorts): Promise<void> {
  const { host, dataDir, scope } = request;
  const { out } = ports.context.output;
  if (host !== 'claude-code' && request.transport === 'http')
    throw new InstallError('wrong-shape', `${HOST_NAMES[host]} runs commands only: leave out --transport http.`);
  const access = accessOf(request, ports);
  const named = request.server !== null;
  if (named && request.check) {
    await checkServer(access);
    await refuseOperatorsKey(access, ports);
  }
  const plan = planOf(request, access);
  const prepared = prepareInstall(fileChanges(host, plan, ports.context.environment));
  if (request.dryRun) {
    const diff = diffOf(prepared);
    out(diff === '' ? 'Nothing to change.\n' : diff);
    if (named) out(`${clientFile(dataDir)} would name ${access.url}.\n`);
    return;
  }
  const clientChanged = named && writeClientFile(dataDir, access);
  const applied = applyChanges(prepared, new Date());
  const hooks = applied.reduce((sum, { hooks }) => sum + hooks, 0);
  const changed = applied.filter(({ outcome }) => outcome !== 'unchanged');
  if (changed.length === 0 && !clientChanged) {
    out(`Nothing to change: ${HOST_NAMES[host]} has its ${hooks} hooks, for ${access.url}.\n`);
    return;
  }
  out(`${HOST_NAMES[host]} sends its ${hooks} hooks to ${access.url}.\n`);
  for (const change of changed)
    out(
      describe(
        change,
        prepared.some(({ read, isPrivate }) => isPrivate && read.file === change.file),
      ),
    );
  if (clientChanged) out(`  ${clientFile(dataDir)}: address and key for the client, readable by you only\n`);
  if (!named && access.isRemote)
    out(`  The server is that of ${clientFile(dataDir)}: delete it to use the instance of this machine.\n`);
  if (host === 'claude-code' && access.isRemote)
    out('  Transcripts: recollect service install sends what hooks miss. The server cannot read them here.\n');
  if (scope.kind === 'project') warnOfProject(scope.folder, dataDir, plan, ports);
  out(`Next: ${NEXT[host]}\n`);
}

/** Whatever an agent runs can read the key that it is given: one with the scope admin is refused, one that may write is remarked on. */
async function refuseOperatorsKey(access: ServerAccess, { context }: InstallPorts): Promise<void> {
  const excess = await excessOf(access);
  if (excess === 'admin')
    throw new InstallError(
      'key-too-strong',
      `${access.url} knows this key, and it has the scope admin: an agent must not have it. Take agent_api_key of the server's credentials.json, or another with the scopes capture and read. --no-check installs it all the same.`,
    );
  if (excess === 'write')
    context.output.err('This key may also write: agents need the scopes capture and read alone.\n');
}

/** The plan for a server; the client's command names the data directory, which also marks it as ours. */
function planOf({ host, scope, transport, namespace, dataDir }: InstallRequest, access: ServerAccess): HookPlan {
  return {
    scope,
    // On its way to another machine more gets lost than on this one: the client keeps it.
    transport: transport ?? (host === 'claude-code' && !access.isRemote ? 'http' : 'client'),
    url: access.url,
    apiKey: access.apiKey,
    namespace,
    command: (event) => hookCommandLine(event, { dataDir, host, ...(namespace === null ? {} : { namespace }) }),
  };
}

function accessOf(request: InstallRequest, { readStdin }: InstallPorts): ServerAccess {
  if (request.server === null) {
    if (request.keyFile !== null) throw new InstallError('bad-key', '--api-key-file belongs to --server.');
    return knownAgentAccess(request.dataDir);
  }
  if (request.keyFile === null)
    throw new InstallError('bad-key', '--server needs --api-key-file FILE, or - to read the key from stdin.');
  return {
    url: serverAddress(request.server, request.allowPlain),
    apiKey: readKey(request.keyFile, readStdin),
    isRemote: true,
  };
}

/** Takes our hooks and key out of an agent's files and says so. Throws InstallError when it cannot; then nothing was written. */
export function uninstallHooks(
  request: { readonly host: InstallHost; readonly scope: Scope; readonly dryRun: boolean },
  ports: InstallPorts,
): void {
  const { out } = ports.context.output;
  // What would be written is of no interest, only where.
  const nowhere: HookPlan = {
    scope: request.scope,
    transport: 'http',
    url: '',
    apiKey: '',
    namespace: null,
    command: () => '',
  };
  const prepared = prepareUninstall(fileChanges(request.host, nowhere, ports.context.environment));
  if (request.dryRun) {
    const diff = diffOf(prepared);
    out(diff === '' ? 'Nothing to change.\n' : diff);
    return;
  }
  const changed = applyChanges(prepared, new Date()).filter(({ outcome }) => outcome !== 'unchanged');
  if (changed.length === 0) {
    out(`Nothing to change: ${HOST_NAMES[request.host]} has no hooks of Recollect there.\n`);
    return;
  }
  out(`${HOST_NAMES[request.host]} sends nothing to Recollect any more.\n`);
  for (const change of changed) out(describe(change, false));
}

function describe({ file, outcome, backup, hooks }: AppliedChange, isPrivate: boolean): string {
  const holds = [hooks === 0 ? '' : `${hooks} hooks`, isPrivate ? 'the key, readable by you only' : ''].filter(
    (part) => part !== '',
  );
  return `  ${file}: ${outcome}${holds.length === 0 ? '' : `; ${holds.join(', ')}`}\n${
    backup === null ? '' : `    what it was: ${backup}\n`
  }`;
}

/** A project's settings are committed: what stands in them is everybody's, and the key must not be. */
function warnOfProject(folder: string, dataDir: string, plan: HookPlan, ports: InstallPorts): void {
  const { out, err } = ports.context.output;
  out('  The client is named by its path on this machine; where it lies elsewhere, install it there again.\n');
  const local = path.resolve(folder, '.claude', 'settings.local.json');
  if (plan.transport === 'http' && isSeenByGit(local, dataDir, ports))
    err(`${local} holds the key, and git does not ignore it: add it to .gitignore before you commit.\n`);
}

/** Whether git would add a file. Asked in an empty repository: the configuration of the project's own can start programs. */
function isSeenByGit(file: string, dataDir: string, { context, run }: InstallPorts): boolean {
  const found = findGitFolder(path.dirname(file), hookUser(context.environment));
  const empty = emptyRepository(dataDir, 'sha1');
  if (found === null || empty === null) return false;
  const isBelow = file.startsWith(`${found.root}${path.sep}`);
  const tree = isBelow ? found.root : path.dirname(path.dirname(file));
  const asked = run('git', [`--git-dir=${empty}`, `--work-tree=${tree}`, 'check-ignore', '-q', file], tree);
  return asked.kind === 'ended' && asked.exitCode === 1;
}
