import { BACKGROUND, MCP_HEADERS, parseArguments } from './arguments.ts';
import type { HookArguments } from './arguments.ts';
import { folderOf, parseBody, sessionOf, withFields } from './body.ts';
import {
  adoptPluginOptions,
  claudeSettingsFiles,
  elapsedMs,
  hookDataDirectory,
  hookEnvironment,
  isInternalRun,
} from './environment.ts';
import type { HookEnvironment } from './environment.ts';
import { deliver } from './deliver.ts';
import { newDeliveryId } from './request.ts';
import type { HookRequest } from './request.ts';
import type { Note } from './diagnostics.ts';
import { markPoolBusy, leave } from './leave.ts';
import { bringsContext, isCaptured, startsSession, answerField } from './hosts.ts';
import type { AnswerField, NamedEvent } from './hosts.ts';
import { HAND_OVER_MS, INPUT_BYTES, SPOOL_MS, LAST_LOOK_MS, OUTAGE_WAIT_MS, runMs, scheduleOf } from './limits.ts';
import type { Schedule } from './limits.ts';
import { hasInstalledHook } from './own-hooks.ts';
import { sessionName, spoolFiles } from './spool/folder.ts';
import { readInput } from './standard-input.ts';
import { findTarget, LOCAL_SERVER } from './target.ts';
import type { Target } from './target.ts';
import { writeSync } from 'node:fs';

/** Capacity of a pipe without a reader, so that writing cannot block. */
const PRINTED_BYTES = 48 * 1024;

function textOf(value: unknown, field: string): string | null {
  if (value === null || typeof value !== 'object') return null;
  const text: unknown = Object.entries(value).find(([name]) => name === field)?.[1];
  return typeof text === 'string' && text !== '' ? text : null;
}

/**
 * Returns the server's response for the host as one line of JSON; empty for none. Contains only fields that hosts
 * support: other fields of a later server never reach the agent.
 */
export function hostAnswer(named: NamedEvent, body: string): string {
  if (body === '' || !bringsContext(named)) return '';
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return ''; // Not Recollect; the agent continues without context.
  }
  const field = answerField(named.host);
  const shown = field === 'hookSpecificOutput' ? claudeAnswer(named.event, answer) : fieldAnswer(field, answer);
  if (Object.keys(shown).length === 0) return '';
  const line = `${JSON.stringify(shown)}\n`;
  // Dropped, not truncated: a partial block would lack its end tag.
  return Buffer.byteLength(line) <= PRINTED_BYTES ? line : '';
}

function fieldAnswer(field: Exclude<AnswerField, 'hookSpecificOutput'>, answer: unknown): object {
  const context = textOf(answer, field);
  if (context === null) return {};
  // Cline requires a decision: never to cancel.
  return field === 'contextModification' ? { cancel: false, [field]: context } : { [field]: context };
}

function claudeAnswer(event: string, answer: unknown): object {
  const specific =
    answer !== null && typeof answer === 'object' && 'hookSpecificOutput' in answer ? answer.hookSpecificOutput : null;
  const context = textOf(specific, 'additionalContext');
  const message = textOf(answer, 'systemMessage');
  return {
    ...(context === null ? {} : { hookSpecificOutput: { hookEventName: event, additionalContext: context } }),
    ...(message === null ? {} : { systemMessage: message }),
  };
}

/** Writes to the host synchronously; ignores a closed pipe. */
function print(text: string): void {
  if (text === '') return;
  try {
    writeSync(1, text);
  } catch {
    // Closed or full: the agent continues without context.
  }
}

/** Reason to spool an event although the server may be available. */
const BEHIND_OTHERS = 'behind others';

/** One run of the client. */
interface Run {
  /** File of the client, to start background processes. */
  readonly client: string;
  readonly args: HookArguments;
  readonly dataDir: string;
  readonly environment: HookEnvironment;
  readonly schedule: Schedule;
  /** The event while neither the server nor the disk has it; `factsOf`: the folder whose facts it lacks. */
  unsaved: { readonly request: HookRequest; readonly server: string; readonly factsOf: string | null } | null;
  isSaved: boolean;
}

/**
 * Sends the hook's JSON from stdin to the server and writes context to stdout. The process always exits with 0 within its limit,
 * which counts from its start. `client` is the running file.
 */
export function main(words: readonly string[], client: string): void {
  if (isInternalRun()) {
    leave();
    return;
  }
  if (words[0] === BACKGROUND) {
    void import('./background-work.ts')
      .then(({ workInBackground }) => workInBackground(words[1], words[2]))
      .catch(() => undefined) // No caller to report to; spooled events remain.
      .then(() => leave());
    return;
  }
  if (words[0] === MCP_HEADERS) {
    void import('./mcp-headers.ts').then(({ printMcpHeaders }) => printMcpHeaders());
    return;
  }
  const args = parseArguments(words);
  if (args?.isPlugin === true) {
    // The hook of `install` sends this event, too, and has its options.
    if (hasInstalledHook(claudeSettingsFiles(), args.event)) return;
    adoptPluginOptions();
  }
  const dataDir = hookDataDirectory(args?.dataDir ?? null);
  const log = async (entry: Note): Promise<void> => {
    const { note } = await import('./diagnostics.ts');
    note(dataDir, entry);
  };
  /** Exits even if logging fails. */
  const logAndLeave = async (entry: Note): Promise<void> => {
    if (entry.what === 'internal-error') markPoolBusy(true);
    try {
      await log(entry);
    } finally {
      leave();
    }
  };
  const fail = (error: unknown): void => {
    const place = error instanceof Error ? `${error.name} ${error.stack?.split('\n')[1]?.trim() ?? ''}` : 'unknown';
    void logAndLeave({ event: args?.event ?? '-', what: 'internal-error', detail: place });
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  if (args === null) {
    void logAndLeave({ event: '-', what: 'no-event' });
    return;
  }
  const { event } = args;
  const schedule = scheduleOf(bringsContext(args));
  const run: Run = { client, args, dataDir, environment: hookEnvironment(), schedule, unsaved: null, isSaved: false };
  setTimeout(
    () => {
      setTimeout(() => leaveWithBusyPool(), HAND_OVER_MS);
      const hand = (): void => void handOver(run).then((ending) => logAndLeave({ event, ...ending }), fail);
      // Two turns: the first processes an input that is due at the same time.
      setImmediate(() => setImmediate(hand));
    },
    runMs(schedule, elapsedMs()),
  );
  void runHook(run)
    .then((ending) => (ending === null ? leave() : logAndLeave({ event, ...ending })))
    .catch(fail);
}

function leaveWithBusyPool(): void {
  markPoolBusy(true);
  leave();
}

/** At the limit: passes an unsaved event to a background process. */
async function handOver({ unsaved, isSaved, client, dataDir }: Run): Promise<Omit<Note, 'event'>> {
  markPoolBusy(true);
  if (unsaved === null) return { what: 'out-of-time', detail: isSaved ? 'saved before' : 'nothing to save' };
  const { delivery, event, host, namespace, body } = unsaved.request;
  const session = sessionOf(parseBody(body));
  if (session === null) return { what: 'no-session', detail: 'out of time' };
  const { spoolInBackground } = await import('./background.ts');
  const { server, factsOf } = unsaved;
  const order = { dataDir, server, session, delivery, event, host, namespace, factsOf };
  return (await spoolInBackground(client, order, body))
    ? { what: 'handed-over' }
    : { what: 'not-spooled', detail: 'background process not started; out of time' };
}

/** Log entry of a run; null for success. */
type Ending = Omit<Note, 'event'> | null;

function end(what: Note['what'], detail?: string): Ending {
  return { what, ...(detail === undefined ? {} : { detail }) };
}

async function runHook(run: Run): Promise<Ending> {
  const { event, host, namespace } = run.args;
  // Slightly before the limit, so that a complete input can still be handed over.
  const input = await readInput(INPUT_BYTES, runMs(run.schedule, elapsedMs()) - LAST_LOOK_MS);
  if (input.kind === 'too-large') return end('input-too-large');
  if (input.kind === 'none') return end('no-input');
  const fields = { timestamp: new Date().toISOString() };
  const body = withFields(input.bytes, fields);
  if (body === null) return end('not-json');
  const target = findTarget(run.dataDir, run.environment);
  const read: HookRequest = { event, host, namespace, delivery: newDeliveryId(), body };
  const save = (request: HookRequest, factsOf: string | null): HookRequest => {
    if (isCaptured(request)) run.unsaved = { request, server: target?.server ?? LOCAL_SERVER, factsOf };
    return request;
  };
  const withFacts = async (folder: string): Promise<HookRequest> => {
    // Before the search for facts, which may take all of the time.
    save(read, folder);
    const { projectFacts } = await import('./project/facts.ts');
    return {
      ...read,
      body: withFields(input.bytes, { ...fields, ...(await projectFacts(folder, run.dataDir)) }) ?? body,
    };
  };
  const folder = startsSession(run.args) ? folderOf(parseBody(body)) : null;
  const request = save(folder === null ? read : await withFacts(folder), null);
  if (target === null) return isCaptured(request) ? spool(run, request, LOCAL_SERVER, 'no server configured') : null;

  // Preserves the order of a session: with pending events, the next one is spooled, too.
  const waiting = spoolFiles(run.dataDir).filter((file) => file.server === target.server);
  if (waiting.length > 0 && isCaptured(request) && !(await mayOvertake(run, request, target)))
    return spool(run, request, target.server, BEHIND_OTHERS);

  // Pending events mean a recent outage: use a shorter timeout.
  const timeoutMs = Math.min(run.schedule.serverMs - elapsedMs(), waiting.length > 0 ? OUTAGE_WAIT_MS : Infinity);
  const outcome = await deliver(target, request, { timeoutMs, needsBody: bringsContext(request) });
  switch (outcome.kind) {
    case 'accepted':
      run.unsaved = null;
      print(hostAnswer(request, outcome.body));
      if (waiting.length > 0) await drainInBackground(run);
      return null;
    case 'unwanted':
      run.unsaved = null;
      return end('refused', outcome.reason);
    case 'refused':
      return isCaptured(request)
        ? quarantineOrSpool(run, request, target.server, outcome.reason)
        : end('refused', outcome.reason);
    case 'later':
    case 'unavailable':
      return isCaptured(request)
        ? spool(run, request, target.server, outcome.reason)
        : end('not-spooled', outcome.reason);
  }
}

/**
 * Returns true if no event of the session is pending, so that this one can be sent. Events with context have
 * time to drain the session first.
 */
async function mayOvertake(run: Run, request: HookRequest, target: Target): Promise<boolean> {
  const id = sessionOf(parseBody(request.body));
  if (id === null) return true;
  const session = sessionName(id);
  const waits = (): boolean =>
    spoolFiles(run.dataDir).some((file) => file.session === session && file.server === target.server);
  if (!waits()) return true;
  if (!bringsContext(request)) return false;
  const { drainSpool } = await import('./spool/drain.ts');
  const untilMs = elapsedMs() + (run.schedule.serverMs - elapsedMs()) / 2;
  await drainSpool({ dataDir: run.dataDir, target, session, untilMs });
  return !waits();
}

/** Spools an event, and starts a drainer if the server may be available. */
async function spool(run: Run, request: HookRequest, server: string, reason: string): Promise<Ending> {
  if (run.schedule.endMs - elapsedMs() < SPOOL_MS) return handOver(run);
  const { spoolEvent } = await import('./spool-event.ts');
  const spooled = await spoolEvent(run, request, server);
  run.unsaved = null;
  run.isSaved = spooled.kind === 'saved';
  if (spooled.kind === 'unsaved') return end(spooled.what, `${spooled.detail}; ${reason}`);
  if (reason === BEHIND_OTHERS) await drainInBackground(run);
  await spooled.synced;
  return end('spooled', reason);
}

/** Quarantines an event that the api permanently rejects; spools it if that fails. */
async function quarantineOrSpool(run: Run, request: HookRequest, server: string, reason: string): Promise<Ending> {
  if (run.schedule.endMs - elapsedMs() < SPOOL_MS) return handOver(run);
  const { quarantineEvent } = await import('./spool-event.ts');
  let synced: Promise<void> | null;
  try {
    synced = quarantineEvent(run.dataDir, request, reason);
  } catch {
    synced = null; // Spooling reports the disk's failure.
  }
  if (synced === null) return spool(run, request, server, reason);
  run.unsaved = null;
  run.isSaved = true;
  await synced;
  return end('refused', `${reason}, quarantined`);
}

async function drainInBackground(run: Run): Promise<void> {
  const { mayTryAgain } = await import('./spool/drain.ts');
  if (!mayTryAgain(run.dataDir)) return;
  const { startDrainer } = await import('./background.ts');
  startDrainer(run.client, run.dataDir);
}
