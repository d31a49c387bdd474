import { z } from 'zod';
import { line, shown, text } from './text.ts';
import { VISIBILITIES, VISIBILITY_SETTING } from '../domain/learning/visibility.ts';
import { EXCLUDE_SETTING, MAX_GLOB_CHARS, MAX_GLOBS } from '../domain/capture/exclusions.ts';

export const projectSchema = z
  .object({
    id: z.string(),
    display_name: z.string(),
    git_remote: z.string().nullable(),
    aliases: z.array(z.string()).describe('Aliases of the project: git remotes, root paths, repositories and names'),
    sessions: z.number().int(),
    learnings: z.number().int(),
    last_event_at: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'Project' });

export const projectName = text(2048).describe('Id, git remote, root path or name');

/** `path:MACHINE:ROOT`, `repository:COMMIT`, `name:NAME`, a git remote, or a root path, which matches sessions without a machine id. */
const aliasSchema = line(4096).describe(
  'A git remote, an absolute path, or a name that begins with remote:, path:, repository: or name:',
);

export const projectChange = z.strictObject({
  display_name: line(256).optional(),
  aliases_add: z.array(aliasSchema).max(32).default([]),
  aliases_remove: z.array(aliasSchema).max(32).default([]),
});

export const globList = z
  .array(
    text(MAX_GLOB_CHARS)
      .regex(new RegExp(shown(String.raw`*/\\.`), 'u'), 'must name a folder; to exclude everything, switch capture off')
      .trim(),
  )
  .max(MAX_GLOBS);

const ofTenant = {
  scope: z.literal('tenant'),
  updated_at: z.string().nullable().describe('Time of the last change; null: never set'),
};
export const exclusionsSchema = z
  .object({ key: z.literal(EXCLUDE_SETTING), value: z.array(z.string()), ...ofTenant })
  .meta({ id: 'ExclusionSetting' });
export const sharingSchema = z
  .object({
    key: z.literal(VISIBILITY_SETTING),
    value: z.enum(VISIBILITIES).describe('Visibility of new learnings'),
    ...ofTenant,
  })
  .meta({ id: 'SharingSetting' });
export const settingSchema = z.discriminatedUnion('key', [exclusionsSchema, sharingSchema]).meta({ id: 'Setting' });

export const projectParams = z.object({ id: projectName });

export const mergeAnswer = z.object({
  project: projectSchema,
  moved: z.object({
    sessions: z.number().int(),
    summaries: z.number().int(),
    learnings: z.number().int(),
    joined: z.number().int().describe('Number of learnings that both projects had'),
    aliases: z.number().int(),
  }),
});
