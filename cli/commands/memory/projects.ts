import path from 'node:path';
import type { Command } from 'commander';
import type { Project, Steering } from '../../server/steering.ts';
import { machineId } from '../../../hook/project/machine-id.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../options.ts';
import { table } from '../../output.ts';
import { ago, short } from '../../text/text-layout.ts';
import { withServer } from '../../with-server.ts';

interface ProjectsOptions {
  readonly dataDir: string;
  readonly search?: string;
  readonly limit: string;
  readonly json?: boolean;
}

interface ExcludeOptions {
  readonly remove?: boolean;
}

const NAME_CHARS = 40;
const SHOWN_ALIASES = 3;

function projectTable(projects: readonly Project[], now: number): string {
  const head = ['PROJECT', 'NAME', 'REMOTE', 'SESSIONS', 'LEARNINGS', 'LAST', 'ALIASES'];
  const rows = projects.map((project) => [
    project.id,
    short(project.display_name, NAME_CHARS),
    project.git_remote ?? '-',
    String(project.sessions),
    String(project.learnings),
    project.last_event_at === null ? '-' : ago(project.last_event_at, now),
    [
      ...project.aliases.slice(0, SHOWN_ALIASES),
      ...(project.aliases.length > SHOWN_ALIASES ? [`and ${project.aliases.length - SHOWN_ALIASES} more`] : []),
    ].join('  '),
  ]);
  return table([head, ...rows]);
}

/** Returns the alias of a folder of this machine, as hooks send it; a remote or an alias unchanged. */
function aliasOf(given: string, dataDir: string): string {
  const isFolder = given === '~' || /^(?:\.{1,2}(?:[/\\]|$)|[/\\~]|[A-Za-z]:[/\\])/.test(given);
  return isFolder ? `path:${machineId(dataDir) ?? ''}:${path.resolve(given)}` : given;
}

export function addProjects(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('projects'), environment)
    .description('list projects with their aliases')
    .option('--search <words>', 'search names and remotes')
    .option('--limit <count>', 'maximum number of rows, up to 100', '50')
    .option('--json', 'print JSON')
    .action(async (options: ProjectsOptions) =>
      exit(
        await withServer(options.dataDir, context, async (steering) => {
          const { data } = await steering.projects(options.search, Number(options.limit));
          if (options.json === true) output.out(`${JSON.stringify(data)}\n`);
          else output.out(data.length === 0 ? 'No projects.\n' : projectTable(data, Date.now()));
          return 0;
        }),
      ),
    );
  const onServer = async (self: Command, work: (steering: Steering, dataDir: string) => Promise<ExitCode>) => {
    const dataDir = dataDirOf(self);
    exit(await withServer(dataDir, context, (steering) => work(steering, dataDir)));
  };

  withDataDir(command.command('merge'), environment)
    .description('merge a project into another')
    .argument('<from>', 'id, git remote, folder or name')
    .argument('<into>', 'id, git remote, folder or name')
    .action((from: string, into: string, _options: object, self: Command) =>
      onServer(self, async (steering) => {
        const { project, moved } = await steering.mergeProjects(from, into);
        const { sessions, learnings, joined } = moved;
        output.out(
          `${project.display_name} received ${sessions} sessions and ${learnings} learnings; ${joined} duplicate learnings were joined.\n`,
        );
        return 0;
      }),
    );

  withDataDir(command.command('alias'), environment)
    .description('add an alias of a project: a folder or a git remote')
    .argument('<project>', 'id, git remote, folder or name')
    .argument('<alias>', 'a folder of this machine, a git remote, or path:MACHINE:FOLDER')
    .option('--remove', 'remove the alias')
    .action((project: string, alias: string, options: ExcludeOptions, self: Command) =>
      onServer(self, async (steering, dataDir) => {
        const changed = await steering.changeProject(project, {
          [options.remove === true ? 'aliases_remove' : 'aliases_add']: [aliasOf(alias, dataDir)],
        });
        output.out(`Aliases of ${changed.display_name}:\n${changed.aliases.map((name) => `  ${name}\n`).join('')}`);
        return 0;
      }),
    );

  withDataDir(command.command('exclude'), environment)
    .description('exclude folders from capture; without a glob, list them')
    .argument('[globs...]', 'as "~/private/**", quoted for the shell')
    .option('--remove', 'remove the exclusions')
    .action((globs: readonly string[], options: ExcludeOptions, self: Command) =>
      onServer(self, async (steering) => {
        const known = await steering.exclusions();
        const wanted =
          options.remove === true ? known.filter((glob) => !globs.includes(glob)) : [...new Set([...known, ...globs])];
        const now = globs.length === 0 ? known : await steering.setExclusions(wanted);
        output.out(
          now.length === 0 ? 'Nothing is excluded.\n' : `Not captured:\n${now.map((glob) => `  ${glob}\n`).join('')}`,
        );
        return 0;
      }),
    );
}
