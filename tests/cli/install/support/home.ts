import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { Cli } from '../../../../cli/cli.ts';
import { addInstall, addUninstall } from '../../../../cli/commands/instance/install.ts';
import type { ExitCode } from '../../../../cli/command-context.ts';
import { processEnvironment } from '../../../../config/process-environment.ts';
import { testFolder } from '../../../infra/support/folder.ts';
import { recordOutput } from '../../support/output.ts';

/** The operator's key, which no agent gets. */
export const OPERATORS_KEY = 'rcl_operator_0123456789abcdef';
/** The agents' key. */
export const KEY = 'rcl_test_0123456789abcdef';
export const URL_HERE = 'http://127.0.0.1:37700';

export interface Ran {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

/** Returns `credentials.json` as an instance writes it. */
export function credentials(url: string, agentKey: string): string {
  return JSON.stringify({ url, api_key: OPERATORS_KEY, agent_api_key: agentKey, agent_write_api_key: `${agentKey}_w` });
}

/** Returns a PATH without this machine's agent, whose version must not matter. */
function systemPrograms(): string {
  const folders = (processEnvironment()['PATH'] ?? '').split(path.delimiter);
  return folders.filter((folder) => !existsSync(path.join(folder, 'claude'))).join(path.delimiter);
}

/** A temporary home, with the credentials of an instance unless null. */
export class Home {
  readonly folder = testFolder();
  private readonly extra: Readonly<Record<string, string>>;
  /** PATH with the agent of the test alone; null: the machine's. */
  private programs: string | null = null;

  constructor(
    access: { url: string; agent_api_key: string } | null = { url: URL_HERE, agent_api_key: KEY },
    extra = {},
  ) {
    this.extra = extra;
    if (access !== null) this.write('.recollect/credentials.json', credentials(access.url, access.agent_api_key));
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  write(name: string, text: string, mode = 0o644): void {
    mkdirSync(path.dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text, { mode });
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  exists(name: string): boolean {
    return existsSync(this.path(name));
  }

  move(name: string, to: string): void {
    renameSync(this.path(name), this.path(to));
  }

  json(name: string): unknown {
    return JSON.parse(this.read(name));
  }

  mode(name: string): number {
    return statSync(this.path(name)).mode & 0o777;
  }

  list(name: string): string[] {
    return readdirSync(this.path(name)).sort();
  }

  /** Returns the backup copies of a file. */
  backups(name: string): string[] {
    const start = `${path.basename(name)}.recollect-backup-`;
    return this.list(path.dirname(name)).filter((file) => file.startsWith(start));
  }

  /** Installs a Claude Code that prints this as its version; null: no agent, and no other program. */
  claudeCode(version: string | null): void {
    this.programs = testFolder();
    if (version === null) return;
    const program = path.join(this.programs, 'claude');
    writeFileSync(program, `#!/bin/sh\n[ "$*" = --version ] && echo '${version}'\n`);
    chmodSync(program, 0o755);
  }

  /** Runs a command in this process, as the user of this home. */
  async run(...args: string[]): Promise<Ran> {
    const context = recordOutput({ PATH: this.programs ?? systemPrograms(), HOME: this.folder, ...this.extra });
    const program = new Command('recollect');
    let code: number | undefined;
    const exit = (given: ExitCode): void => {
      code = given;
    };
    const cli = new Cli(context, exit);
    addInstall(program, cli);
    addUninstall(program, cli);
    await program.parseAsync(args, { from: 'user' });
    return { code, out: context.text(), err: context.errors() };
  }
}
