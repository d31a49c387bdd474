import { z } from 'zod';
import { MODEL_PROVIDERS } from '../../domain/ports/model.ts';
import { stackLines } from '../../domain/stack-lines.ts';
import { lastLines, logPath } from '../../infra/supervisor/log-file.ts';

/** Lines that are read of a log, and reported ones of it. */
const READ_LINES = 2_000;
const SHOWN_LINES = 50;
const LONGEST_TEXT = 300;
/** pino's level of warnings. */
const WARN = 40;
/** Status from which a request is reported, too: its error and its route are in two lines, and the second is no warning. */
const FAILED_REQUEST = 500;

/** Returns the schema of a field that is reported if it matches: texts of callers, operators and engines never do. */
const matching = (pattern: RegExp) => z.string().max(LONGEST_TEXT).regex(pattern).optional().catch(undefined);
const text = z.string().max(LONGEST_TEXT).optional().catch(undefined);
const number = z.number().optional().catch(undefined);
/** Names of classes; PostgreSQL's client has `error`. */
const className = z.string().regex(/^(?:[A-Z][A-Za-z]{0,99}|error|unknown)$/);
const code = matching(/^[A-Z0-9_]+$/);
const name = matching(/^[A-Za-z][A-Za-z_-]*$/);
const uuid = matching(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/);
/** Names of errors in a message about an engine, without its addresses. */
const SYSTEM_CODES = /\b(?:E[A-Z]{4,}|UNAVAILABLE|DEADLINE_EXCEEDED|UNAUTHENTICATED|PERMISSION_DENIED)\b/g;
const reason = z
  .string()
  .transform((given) => (/^[A-Za-z_]+$/.test(given) ? given : [...new Set(given.match(SYSTEM_CODES))].join(' ')))
  .optional()
  .catch(undefined);

/** A file of this package, of one that it uses, or of Node, with its line; the folders before it may name a user. */
const PLACE =
  /(?:node:|node_modules\/|(?:activities|api|cli|config|contract|domain|infra|mcp|models|retrieval|stores|telemetry|workers|workflows)\/)[\w./@-]+:\d+(?::\d+)?$/;

/** Of Node and of libraries. */
const FOREIGN = /(?:^| )(?:node:|node_modules\/)/;

/** Returns where an error came from: functions and files of this project, or of others if there are none. The api logs lines of a stack, the worker files of this project. */
function framesOf(lines: readonly string[]): readonly string[] {
  const all = lines.flatMap((line) => {
    const found = /^(?:\s+at )?(?:(?<name>[\w.<>[\] ]+) \()?(?<place>\S+?)\)?$/.exec(line)?.groups;
    const place = PLACE.exec(found?.['place'] ?? '')?.[0];
    return place === undefined ? [] : [`${found?.['name'] ?? ''} ${place}`.trim().slice(0, LONGEST_TEXT)];
  });
  const own = all.filter((frame) => !FOREIGN.test(frame));
  return (own.length === 0 ? all : own).slice(0, 6);
}

const frames = z.array(z.string()).transform(framesOf).optional().catch(undefined);

/** The fields of a line that are reported: times, codes, ids and places. A message of the program has no values; that of an error may have one, and is left out. */
const ownLine = z.object({
  time: text,
  level: z.number(),
  msg: text,
  trace_id: matching(/^[\da-f]{32}$/),
  // A caller may choose the id of its request.
  reqId: uuid,
  method: code,
  route: matching(/^[\w/:*.-]+$/),
  action: matching(/^[A-Z]+ [\w/:*.-]+$/),
  status: number,
  dependency: name,
  provider: z.enum(MODEL_PROVIDERS).optional().catch(undefined),
  reason,
  step: name,
  workflowType: name,
  activityType: name,
  attempt: number,
  error: z
    .union([className, z.object({ type: className, frames })])
    .optional()
    .catch(undefined),
  code,
  codes: z
    .array(z.string())
    .transform((codes) => codes.filter((each) => /^[A-Z0-9_]+$/.test(each)))
    .optional()
    .catch(undefined),
  stack: frames,
  err: z.object({ type: className, code, message: z.string(), stack: z.string() }).optional().catch(undefined),
});

/** Returns what is reported of a line with the error of a library, whose message can be that of the line. */
function withoutMessage({ err, msg, ...line }: z.output<typeof ownLine>): object {
  if (err === undefined) return { ...line, msg };
  const { type, code, message } = err;
  const at = { type, code, stack: framesOf(stackLines(err)) };
  return { ...line, ...(msg !== message && { msg }), err: at };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** Returns the newest warnings, errors and failed requests of a log of the api or the worker, oldest first. */
function ownLines(lines: readonly string[]): readonly unknown[] {
  return lines
    .flatMap((line) => {
      const { data } = ownLine.safeParse(parsed(line));
      return data !== undefined && (data.level >= WARN || (data.status ?? 0) >= FAILED_REQUEST)
        ? [withoutMessage(data)]
        : [];
    })
    .slice(-SHOWN_LINES);
}

/** Severities of the engines' lines. Their texts may name values, so that they are counted only. */
const SEVERITY = /\b(?<severity>PANIC|FATAL|ERROR|WARNING)\b:|"level":"(?<level>fatal|panic|error|warn(?:ing)?)"/;

function counted(lines: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    const groups = SEVERITY.exec(line)?.groups;
    const severity = (groups?.['severity'] ?? groups?.['level'])?.toLowerCase();
    if (severity !== undefined) counts[severity] = (counts[severity] ?? 0) + 1;
  }
  return counts;
}

/** Returns the last warnings and errors of the logs in a folder, without anything that was captured. */
export function logsOf(folder: string): Readonly<Record<string, unknown>> {
  const read = (name: string): readonly string[] => lastLines(logPath(folder, name), READ_LINES);
  return {
    api: ownLines(read('api')),
    worker: ownLines(read('worker')),
    ...Object.fromEntries(['postgres', 'temporal', 'weaviate'].map((name) => [name, counted(read(name))])),
  };
}
