import { z } from 'zod';
import { normaliseRemote } from '../domain/capture/project-identity.ts';
import { indexable, wellFormed } from '../domain/capture/well-formed.ts';
import type { StoredProject } from '../stores/postgres/projects/project-list.ts';
import { line, text } from './text.ts';

export const projectSchema = z
  .object({
    id: z.string(),
    display_name: z.string(),
    git_remote: z.string().nullable(),
    aliases: z.array(z.string()).describe('Every way the project is told'),
    sessions: z.number().int(),
    learnings: z.number().int(),
    last_event_at: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'Project' });

export const projectName = text(2048).describe('Id, git remote, root path or name');

/** `path:MACHINE:ROOT`, `repository:COMMIT`, `name:NAME`, a git remote, or a root path, which then holds for sessions that tell no machine. */
const aliasSchema = line(4096).describe(
  'A git remote, an absolute path, or a name that begins with remote:, path:, repository: or name:',
);

export const projectChange = z.strictObject({
  display_name: line(256).optional(),
  aliases_add: z.array(aliasSchema).max(32).default([]),
  aliases_remove: z.array(aliasSchema).max(32).default([]),
});

const TOLD = /^(?:path:[^:]*:|repository:|name:).+$/s;

/** An alias in the form that capture gives it. Null for what is none. */
export function aliasOf(given: string): string | null {
  const text = given.startsWith('remote:') ? given.slice('remote:'.length) : given;
  if (TOLD.test(given)) return indexable(wellFormed(given));
  const remote = normaliseRemote(text);
  if (remote !== null) return indexable(`remote:${remote}`);
  // A remote as capture has made it, as a list of aliases shows it.
  if (given.startsWith('remote:') && /^[A-Za-z0-9._-]+(?::\d+)?\/\S+$/.test(text)) return indexable(`remote:${text}`);
  const root = given.replace(/(?<=[^/\\])[/\\]+$/, '');
  return /^(?:\/|[A-Za-z]:[/\\])/.test(root) ? indexable(wellFormed(`path::${root}`)) : null;
}

export function presentProject(project: StoredProject): z.output<typeof projectSchema> {
  return {
    id: project.id,
    display_name: project.displayName,
    git_remote: project.gitRemote,
    aliases: [...project.aliases],
    sessions: project.sessions,
    learnings: project.learnings,
    last_event_at: project.lastEventAt?.toISOString() ?? null,
    created_at: project.createdAt.toISOString(),
  };
}
