import { z } from 'zod';
import { BOUNDARY_KINDS, OBSERVATION_TYPES, PROMPT_TYPES } from '../../domain/capture/event.ts';
import codexCli from '../../domain/capture/hosts/codex-cli.json' with { type: 'json' };
import cline from '../../domain/capture/hosts/cline.json' with { type: 'json' };
import cursor from '../../domain/capture/hosts/cursor.json' with { type: 'json' };
import geminiCli from '../../domain/capture/hosts/gemini-cli.json' with { type: 'json' };
import opencode from '../../domain/capture/hosts/opencode.json' with { type: 'json' };
import windsurf from '../../domain/capture/hosts/windsurf.json' with { type: 'json' };
import type { HostMapping } from '../../domain/capture/hosts/mapping.ts';
import { hostName } from '../../contract/shared.ts';
import type { HookHost } from '../../domain/capture/hook-hosts.ts';

const paths = z.array(z.string().regex(/^[\w-]+(?:\.[\w-]+)*$/, 'names joined by dots'));
const table = <Value extends z.ZodType>(value: Value) => z.record(z.string().min(1), value);

const part = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('prompt'), type: z.enum(PROMPT_TYPES), content: paths }),
  z.strictObject({
    kind: z.literal('tool'),
    name: z.union([z.string().min(1), paths]),
    input: z.union([paths, table(paths)]),
    response: paths.optional(),
    error: paths.optional(),
    optional_error: paths.optional(),
    success: paths.optional(),
    duration_ms: paths.optional(),
    use_id: paths.optional(),
    json_text: z.boolean().optional(),
  }),
  z.strictObject({ kind: z.literal('note'), type: z.enum(OBSERVATION_TYPES), content: paths }),
  z.strictObject({
    kind: z.literal('boundary'),
    boundary: z.enum(BOUNDARY_KINDS),
    reason: z.union([z.string().min(1), paths]),
  }),
]);

const mapping = z.strictObject({
  host: hostName,
  session: paths.min(1),
  project_path: paths.min(1),
  model: paths,
  agent: z.strictObject({ id: paths, type: paths }),
  common: z.array(z.string().min(1)),
  context_answer: z.enum(['hook_specific_output', 'additional_context', 'context_modification']).optional(),
  events: table(
    z.strictObject({
      parts: z.array(part),
      metadata: table(paths).optional(),
      repeated: z.array(z.string().min(1)).optional(),
      session_start: z.boolean().optional(),
      answered: z.boolean().optional(),
    }),
  ),
  tools: table(
    z.strictObject({
      name: z.string().min(1).optional(),
      rename: table(z.string().min(1)).optional(),
      patch: z.string().min(1).optional(),
      not_in: z.array(z.string().min(1)).optional(),
    }),
  ),
});

/** Checks one mapping file. @throws ZodError that names the place at fault: a server with a wrong mapping must not start. */
export function parseHostMapping(file: unknown): HostMapping {
  return mapping.parse(file);
}

/** Every host that is known by data, checked once when the api starts. */
export const HOST_MAPPINGS: Readonly<Record<Exclude<HookHost, 'claude-code'>, HostMapping>> = {
  'codex-cli': parseHostMapping(codexCli),
  cursor: parseHostMapping(cursor),
  'gemini-cli': parseHostMapping(geminiCli),
  opencode: parseHostMapping(opencode),
  windsurf: parseHostMapping(windsurf),
  cline: parseHostMapping(cline),
};
