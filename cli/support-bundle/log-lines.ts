import { z } from 'zod';
import { lastLines, logPath } from '../../infra/supervisor/log-file.ts';

/** Lines that are read of a log, and reported ones of it. */
const READ_LINES = 2_000;
const SHOWN_LINES = 50;
const LONGEST_TEXT = 300;
/** pino's level of warnings. */
const WARN = 40;

const code = z.string().max(LONGEST_TEXT).catch('').optional();
/** The fields of a line that are reported: times, codes and ids. A message of the program has no values; that of an error may have one, and is left out. */
const ownLine = z.object({
  time: code,
  level: z.number(),
  msg: code,
  code,
  event: code,
  route: code,
  statusCode: z.number().optional().catch(undefined),
  reqId: code,
  trace_id: code,
  workflowType: code,
  activityType: code,
  err: z
    .object({ type: code, code, stack: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
});

/** A file of this package, of one that it uses, or of Node; the folders before it may name a user. */
const PLACE =
  /(?:node:|node_modules\/|(?:activities|api|cli|config|contract|domain|infra|mcp|models|retrieval|stores|telemetry|workers|workflows)\/)[\w./@-]+:\d+:\d+$/;

/** Returns where an error came from: functions and files, without the message. */
function framesOf(stack: string | undefined): readonly string[] {
  return (stack ?? '')
    .split('\n')
    .flatMap((line) => {
      const found = /^\s+at (?:(?<name>[\w.<>[\] ]+) \()?(?<place>\S+?)\)?$/.exec(line)?.groups;
      const place = PLACE.exec(found?.['place'] ?? '')?.[0];
      return place === undefined ? [] : [`${found?.['name'] ?? ''} ${place}`.trim().slice(0, LONGEST_TEXT)];
    })
    .slice(0, 6);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** Returns the newest warnings and errors of a log of the api or the worker, oldest first. */
function ownLines(lines: readonly string[]): readonly unknown[] {
  return lines
    .flatMap((line) => {
      const { data } = ownLine.safeParse(parsed(line));
      if (data === undefined || data.level < WARN) return [];
      const { err, ...fields } = data;
      return [err === undefined ? fields : { ...fields, err: { ...err, stack: framesOf(err.stack) } }];
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
