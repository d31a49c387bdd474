import path from 'node:path';
import type { Command } from 'commander';
import type { Project, Steering } from '../../server/steering.ts';
import { machineId } from '../../../hook/project/machine-id.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { dataDirOf, withDataDir } from '../../data-dir.ts';
import { table } from '../../output.ts';
import { ago, short } from '../../text/time-text.ts';
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
  const head = ['PROJECT', 'NAME', 'REMOTE', 'SESSIONS', 'LEARNINGS', 'LAST', 'TOLD BY'];
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

/** A folder of this machine as hooks tell it; everything else as it was given: a remote, or an alias in its own form. */
function aliasOf(given: string, dataDir: string): string {
  const isFolder = given === '~' || /^(?:\.{1,2}(?:[/\\]|$)|[/\\~]|[A-Za-z]:[/\\])/.test(given);
  return isFolder ? `path:${machineId(dataDir) ?? ''}:${path.resolve(given)}` : given;
}

export function addProjects(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const { output, environment } = context;
  const command = withDataDir(program.command('projects'), environment)
    .description('list projects, and what each is told by')
    .option('--search <words>', 'in the name and the remote')
    .option('--limit <count>', 'how many, 100 at most', '50')
    .option('--json', 'for programs')
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
    .description('move all of one project into another one, whose name stays')
    .argument('<from>', 'id, git remote, folder or name')
    .argument('<into>', 'id, git remote, folder or name')
    .action((from: string, into: string, _options: object, self: Command) =>
      onServer(self, async (steering) => {
        const { project, moved } = await steering.mergeProjects(from, into);
        const { sessions, learnings, joined } = moved;
        output.out(
          `${project.display_name} has ${sessions} sessions and ${learnings} learnings more; ${joined} learnings were known to both.\n`,
        );
        return 0;
      }),
    );

  withDataDir(command.command('alias'), environment)
    .description('tell a project by another folder or git remote, too')
    .argument('<project>', 'id, git remote, folder or name')
    .argument('<alias>', 'a folder of this machine, a git remote, or path:MACHINE:FOLDER')
    .option('--remove', 'tell it by this no more')
    .action((project: string, alias: string, options: ExcludeOptions, self: Command) =>
      onServer(self, async (steering, dataDir) => {
        const changed = await steering.changeProject(project, {
          [options.remove === true ? 'aliases_remove' : 'aliases_add']: [aliasOf(alias, dataDir)],
        });
        output.out(`${changed.display_name} is told by\n${changed.aliases.map((name) => `  ${name}\n`).join('')}`);
        return 0;
      }),
    );

  withDataDir(command.command('exclude'), environment)
    .description('name folders that are not captured; without a glob: list them')
    .argument('[globs...]', 'such as "~/private/**"; in quotes, so that the shell leaves them')
    .option('--remove', 'capture them again')
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
