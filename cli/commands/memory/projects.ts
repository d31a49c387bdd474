import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { z } from 'zod';
import { exclusionsSchema, mergeAnswer, projectSchema, settingSchema } from '../../../contract/projects.ts';
import { dataOf, pageOfItems } from '../../../contract/shared.ts';
import { EXCLUDE_SETTING } from '../../../domain/capture/exclusions.ts';
import { machineId } from '../../../hook/project/machine-id.ts';
import type { Cli } from '../../cli.ts';
import { dataDirOf } from '../../options.ts';
import { table } from '../../output.ts';
import { path } from '../../server/server-client.ts';
import { ago, short } from '../../text/text-layout.ts';

interface ProjectsOptions {
  readonly search?: string;
  readonly limit: string;
  readonly json?: boolean;
}

interface RemoveOption {
  readonly remove?: boolean;
}

const NAME_CHARS = 40;
const SHOWN_ALIASES = 3;

function projectTable(projects: readonly z.output<typeof projectSchema>[], now: number): string {
  const head = ['PROJECT', 'NAME', 'REMOTE', 'SESSIONS', 'LEARNINGS', 'LAST EVENT', 'ALIASES'];
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
  return isFolder ? `path:${machineId(dataDir) ?? ''}:${resolve(given)}` : given;
}

export function addProjects(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli
    .command(program, 'projects', 'list projects with their aliases')
    .option('--search <words>', 'search names and remotes')
    .option('--limit <count>', 'maximum number of rows, up to 100', '50')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { search, limit, json }: ProjectsOptions) => {
        const query = { search, limit: Number(limit) };
        const { data } = await server.get('/projects', pageOfItems(projectSchema), query);
        cli.print(json, data, data.length === 0 ? 'No projects.\n' : projectTable(data, Date.now()));
      }),
    );

  cli
    .command(command, 'merge', 'merge a project into another')
    .argument('<from>', 'id, git remote, folder or name')
    .argument('<into>', 'id, git remote, folder or name')
    .action(
      cli.onServer(async (server, from: string, into: string) => {
        const { project, moved } = await server.post(path`/projects/${from}/merge`, mergeAnswer, { into });
        const { sessions, learnings, joined } = moved;
        output.out(
          `${project.display_name} received ${sessions} sessions and ${learnings} learnings; ${joined} duplicate learnings were joined.\n`,
        );
      }),
    );

  cli
    .command(command, 'alias', 'add an alias of a project: a folder or a git remote')
    .argument('<project>', 'id, git remote, folder or name')
    .argument('<alias>', 'a folder of this machine, a git remote, or path:MACHINE:FOLDER')
    .option('--remove', 'remove the alias')
    .action(
      cli.onServer(async (server, project: string, alias: string, { remove }: RemoveOption, self: Command) => {
        const body = { [remove === true ? 'aliases_remove' : 'aliases_add']: [aliasOf(alias, dataDirOf(self))] };
        const changed = await server.request('PUT', path`/projects/${project}`, projectSchema, { body });
        output.out(`Aliases of ${changed.display_name}:\n${changed.aliases.map((name) => `  ${name}\n`).join('')}`);
      }),
    );

  cli
    .command(command, 'exclude', 'exclude folders from capture; without a glob, list them')
    .argument('[globs...]', 'as "~/private/**", quoted for the shell')
    .option('--remove', 'remove the exclusions')
    .action(
      cli.onServer(async (server, globs: readonly string[], { remove }: RemoveOption) => {
        const { data } = await server.get('/admin/settings', dataOf(settingSchema));
        const known = data.find((setting) => setting.key === EXCLUDE_SETTING)?.value ?? [];
        let now = known;
        if (globs.length > 0) {
          const value =
            remove === true ? known.filter((glob) => !globs.includes(glob)) : [...new Set([...known, ...globs])];
          const address = `/admin/settings/${EXCLUDE_SETTING}`;
          now = (await server.request('PUT', address, exclusionsSchema, { body: { value } })).value;
        }
        output.out(
          now.length === 0 ? 'Nothing is excluded.\n' : `Not captured:\n${now.map((glob) => `  ${glob}\n`).join('')}`,
        );
      }),
    );
}
