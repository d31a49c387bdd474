import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { environmentSchema } from '../../config/config.ts';
import { type Engine, TEMPORAL, WEAVIATE } from '../engines/pinned.ts';

/** Where the page is kept. */
export const CONFIGURATION_PAGE = path.resolve(import.meta.dirname, '..', '..', 'docs', 'configuration.md');

const settingSchema = z.looseObject({
  description: z.string(),
  type: z.string(),
  format: z.string().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.number().optional(),
});
type Setting = z.output<typeof settingSchema>;

const schemaDocument = z.object({ properties: z.record(z.string(), settingSchema) });

/** What a setting is when nobody gives it: a value, nothing, or a refusal. */
type Absent = { readonly kind: 'default'; readonly value: unknown } | { readonly kind: 'unset' | 'required' };

function whenAbsent(schema: z.ZodType): Absent {
  const parsed = schema.safeParse(undefined);
  if (!parsed.success) return { kind: 'required' };
  return parsed.data === undefined ? { kind: 'unset' } : { kind: 'default', value: parsed.data };
}

function showAbsent(absent: Absent): string {
  switch (absent.kind) {
    case 'required':
      return 'needed';
    case 'unset':
      return 'unset';
    case 'default':
      return `\`${String(absent.value)}\``;
  }
}

/** The values that a setting takes, in words. */
function values(setting: Setting, absent: Absent): string {
  if (absent.kind === 'default' && typeof absent.value === 'boolean') return '`true` or `false`';
  if (setting.enum !== undefined) return setting.enum.map((value) => `\`${value}\``).join(' or ');
  if (setting.format === 'uri') return 'address';
  if (setting.type === 'string')
    return setting.minLength === undefined || setting.minLength <= 1
      ? 'text'
      : `text, at least ${setting.minLength} characters`;
  const whole = setting.type === 'integer';
  const least = setting.minimum ?? (whole && setting.exclusiveMinimum !== undefined ? setting.exclusiveMinimum + 1 : 0);
  const bounded = setting.maximum !== undefined && setting.maximum < Number.MAX_SAFE_INTEGER;
  const range = bounded ? `${least} to ${setting.maximum}` : `${least} or more`;
  return `${whole ? 'whole number' : 'number'}, ${range}`;
}

function settingRows(): string[] {
  const { properties } = schemaDocument.parse(
    z.toJSONSchema(environmentSchema, { io: 'input', unrepresentable: 'any' }),
  );
  return Object.entries(environmentSchema.shape).map(([name, schema]) => {
    const setting = settingSchema.parse(properties[name]);
    const absent = whenAbsent(schema);
    return `| \`${name}\` | ${showAbsent(absent)} | ${values(setting, absent)} | ${setting.description} |`;
  });
}

function programRows(engine: Engine): string[] {
  return engine.programs.map(
    (program) =>
      `| \`${program.variable}\` | The ${program.name} of version ${engine.version} to run, instead of looking for one |`,
  );
}

/** The whole page, made from the schema that checks the settings. */
export function configurationPage(): string {
  return [
    '# Configuration',
    '',
    '<!-- Made by `npm run docs:configuration` from config/config.ts. Change the schema, not this page. -->',
    '',
    'Every setting is an environment variable. It is read once, when a process starts. A wrong value, or two that contradict each other,',
    'end the process with the names of the settings at fault; values are never shown.',
    '',
    '`npm start` and `npm run demo` start the whole instance. They give the worker and the api every setting below that is "needed"',
    'and choose the ports; what you set of the rest is passed on. `RECOLLECT_CACHE_DIR` may be set for both, `RECOLLECT_HTTP_PORT` for `npm start`.',
    '',
    '## Settings of the worker and the api',
    '',
    '| variable | default | values | meaning |',
    '| --- | --- | --- | --- |',
    ...settingRows(),
    '',
    '"Needed" has no default: a worker or an api that is started by hand must be given it. "Unset" means that it may be left out.',
    '',
    'Refused together:',
    '',
    '- `RECOLLECT_MODEL_PROVIDER=anthropic` without `ANTHROPIC_API_KEY`, in a worker;',
    '- `RECOLLECT_MODEL_MODE=batch` without `RECOLLECT_MODEL_PROVIDER=anthropic`;',
    '- `RECOLLECT_MODEL_USER_CONCURRENCY` above `RECOLLECT_MODEL_CONCURRENCY`;',
    '- with `RECOLLECT_MODEL_PROVIDER=anthropic`, `RECOLLECT_MODEL_MAX_REQUEST_TOKENS` less than 5500 above `RECOLLECT_MODEL_MAX_OUTPUT_TOKENS`;',
    '- `RECOLLECT_WINDOW_TURN_TOKENS` above `RECOLLECT_WINDOW_TOKENS`;',
    '- `RECOLLECT_WINDOW_QUIET_MS` above `RECOLLECT_SESSION_IDLE_MS`;',
    '- `RECOLLECT_HTTP_HOST` beyond loopback without `RECOLLECT_ALLOW_PLAIN_HTTP=true`;',
    '- a name in `RECOLLECT_WORKER_QUEUES` that is no task queue.',
    '',
    'Windows and waits (`RECOLLECT_WINDOW_*`, `RECOLLECT_SESSION_*`) are given to a workflow of a session at its start and kept for its run:',
    'a change applies to sessions that start, or are reopened, afterwards.',
    '',
    '## Settings of the instance',
    '',
    'Read by the `recollect` command before anything is started.',
    '',
    '| variable | meaning |',
    '| --- | --- |',
    '| `RECOLLECT_DATA_DIR` | Data directory when `--data-dir` is not given; default `~/.recollect` |',
    '| `RECOLLECT_CACHE_DIR` | Engines, model files and compiled code; default `$XDG_CACHE_HOME/recollect`, else `~/.cache/recollect` (macOS: `~/Library/Caches/recollect`) |',
    '| `RECOLLECT_HTTP_PORT` | Port of the api when `--port` is not given: taken or refused, never replaced |',
    ...programRows(TEMPORAL),
    ...programRows(WEAVIATE),
    '| `RECOLLECT_URL`, `RECOLLECT_API_KEY` | The server that the hook client and the commands of a client speak to, both or neither; default: `client.json`, then `credentials.json` of the data directory |',
    '| `RECOLLECT_SPOOL_MAX_BYTES` | Size of the hook client’s spool; the oldest is kept; default 64 MiB |',
    '| `RECOLLECT_RELEASES_URL` | A mirror that serves official releases under the same paths |',
    '',
    'The hooks that `npm run recollect -- install claude-code` writes take their key from `RECOLLECT_API_KEY`, in the environment of the agent.',
    '',
    'A child process is given only variables whose names begin with `RECOLLECT_`, `ANTHROPIC_`, `OTEL_`, `LC_`, `SSL_` or `NODE_`, and the few that a program needs to run',
    '(`PATH`, `HOME`, proxies and the like). PostgreSQL, Temporal and Weaviate get none that begins with `RECOLLECT_`, `ANTHROPIC_`, `OTEL_` or `NODE_`.',
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync(CONFIGURATION_PAGE, configurationPage());
