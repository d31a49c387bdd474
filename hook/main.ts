import { BACKGROUND, parseArguments } from './arguments.ts';
import type { HookArguments } from './arguments.ts';
import { folderOf, parseBody, sessionOf, withFields } from './body.ts';
import { elapsedMs } from './clock.ts';
import { deliver } from './deliver.ts';
import { newDeliveryId } from './delivery-id.ts';
import type { Note } from './diagnostics.ts';
import { hookDataDirectory, hookEnvironment } from './environment.ts';
import type { HookEnvironment } from './environment.ts';
import { hostAnswer, print } from './host-answer.ts';
import { holdThread, leave } from './leave.ts';
import { bringsContext, isCaptured, startsSession } from './hosts.ts';
import { HAND_OVER_MS, INPUT_BYTES, KEEP_MS, LAST_LOOK_MS, OUTAGE_WAIT_MS, runMs, scheduleOf } from './limits.ts';
import type { Schedule } from './limits.ts';
import type { HookRequest } from './request.ts';
import { sessionName, spoolFiles } from './spool/folder.ts';
import { readInput } from './standard-input.ts';
import { findTarget, LOCAL_SERVER } from './target.ts';
import type { Target } from './target.ts';

/** Why an event is spooled although the server may be there. */
const BEHIND_OTHERS = 'behind others';

/** One run of the client. */
interface Run {
  /** The file that runs, to be started again for what is done in the background. */
  readonly client: string;
  readonly args: HookArguments;
  readonly dataDir: string;
  readonly environment: HookEnvironment;
  readonly schedule: Schedule;
  /** The event as long as nobody has it but this process: not the server, as far as it answered, and not the disk. */
  unsaved: { readonly request: HookRequest; readonly server: string } | null;
  isSaved: boolean;
}

/**
 * The whole client: the hook's JSON from stdin to the server, what the host may know of the answer to stdout. The process always
 * ends with 0 and within its limit, which counts from its start. `client` is the file that runs.
 */
export function main(words: readonly string[], client: string): void {
  if (words[0] === BACKGROUND) {
    void import('./background-work.ts')
      .then(({ workInBackground }) => workInBackground(words[1], words[2]))
      .catch(() => undefined) // Nobody is there to be told; what was spooled stays.
      .then(() => leave());
    return;
  }
  const args = parseArguments(words);
  const dataDir = hookDataDirectory(args?.dataDir ?? null);
  const say = async (entry: Note): Promise<void> => {
    const { note } = await import('./diagnostics.ts');
    note(dataDir, entry);
  };
  /** Whatever becomes of the last word, the process ends. */
  const sayAndLeave = async (entry: Note): Promise<void> => {
    if (entry.what === 'internal-error') holdThread(true);
    try {
      await say(entry);
    } finally {
      leave();
    }
  };
  const fail = (error: unknown): void => {
    const place = error instanceof Error ? `${error.name} ${error.stack?.split('\n')[1]?.trim() ?? ''}` : 'unknown';
    void sayAndLeave({ event: args?.event ?? '-', what: 'internal-error', detail: place });
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  if (args === null) {
    void sayAndLeave({ event: '-', what: 'no-event' });
    return;
  }
  const { event } = args;
  const schedule = scheduleOf(bringsContext(args));
  const run: Run = { client, args, dataDir, environment: hookEnvironment(), schedule, unsaved: null, isSaved: false };
  setTimeout(
    () => {
      setTimeout(() => leaveHeld(), HAND_OVER_MS);
      const hand = (): void => void handOver(run).then((ending) => sayAndLeave({ event, ...ending }), fail);
      // Two turns: in the first, an input that was due at the same moment becomes an event.
      setImmediate(() => setImmediate(hand));
    },
    runMs(schedule, elapsedMs()),
  );
  void runHook(run)
    .then((ending) => (ending === null ? leave() : sayAndLeave({ event, ...ending })))
    .catch(fail);
}

function leaveHeld(): void {
  holdThread(true);
  leave();
}

/** The time is over: what nobody has yet goes to a process that may take longer. */
async function handOver({ unsaved, isSaved, client, dataDir }: Run): Promise<Omit<Note, 'event'>> {
  holdThread(true);
  if (unsaved === null) return { what: 'out-of-time', detail: isSaved ? 'saved before' : 'nothing to save' };
  const { delivery, event, host, namespace, body } = unsaved.request;
  const session = sessionOf(parseBody(body));
  if (session === null) return { what: 'no-session', detail: 'out of time' };
  const { spoolInBackground } = await import('./background.ts');
  const order = { dataDir, server: unsaved.server, session, delivery, event, host, namespace };
  return (await spoolInBackground(client, order, body))
    ? { what: 'handed-over' }
    : { what: 'not-spooled', detail: 'no process could be started; out of time' };
}

/** What the log is told of a run; null when all went as it should. */
type Ending = Omit<Note, 'event'> | null;

function end(what: Note['what'], detail?: string): Ending {
  return { what, ...(detail === undefined ? {} : { detail }) };
}

async function runHook(run: Run): Promise<Ending> {
  const { event, host, namespace } = run.args;
  // A little before the time is over: what is whole by then can still be handed on.
  const input = await readInput(INPUT_BYTES, runMs(run.schedule, elapsedMs()) - LAST_LOOK_MS);
  if (input.kind === 'too-large') return end('input-too-large');
  if (input.kind === 'none') return end('no-input');
  const body = withFields(input.bytes, await addedFields(run, input.bytes));
  if (body === null) return end('not-json');
  const request: HookRequest = { event, host, namespace, delivery: newDeliveryId(), body };
  const target = findTarget(run.dataDir, run.environment);
  if (isCaptured(request)) run.unsaved = { request, server: target?.server ?? LOCAL_SERVER };
  if (target === null) return isCaptured(request) ? keep(run, request, LOCAL_SERVER, 'no server is known') : null;

  // Events of a session arrive in their order: while some of it wait, the next one stands behind them.
  const waiting = spoolFiles(run.dataDir).filter((file) => file.server === target.server);
  if (waiting.length > 0 && isCaptured(request) && !(await mayOvertake(run, request, target)))
    return keep(run, request, target.server, BEHIND_OTHERS);

  // Where others wait the server was away a moment ago: a question is not worth the whole time then.
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
        ? setAside(run, request, target.server, outcome.reason)
        : end('refused', outcome.reason);
    case 'later':
    case 'away':
      return isCaptured(request)
        ? keep(run, request, target.server, outcome.reason)
        : end('not-spooled', outcome.reason);
  }
}

/** What the client adds: the time, and where a session starts what only this machine knows of the folder. */
async function addedFields(run: Run, bytes: Buffer): Promise<Record<string, string>> {
  const fields = { timestamp: new Date().toISOString() };
  if (!startsSession(run.args)) return fields;
  const cwd = folderOf(parseBody([bytes]));
  const { projectFacts } = await import('./project/facts.ts');
  return {
    ...fields,
    ...(await projectFacts(cwd ?? process.cwd(), run.dataDir)),
  };
}

/**
 * Whether nothing of the event's session waits, so that it may go to the server itself. An event that is to bring context has the
 * time to send first what waits.
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

/** Puts an event into the spool, and lets somebody drain it where that is worth a try. */
async function keep(run: Run, request: HookRequest, server: string, reason: string): Promise<Ending> {
  if (run.schedule.endMs - elapsedMs() < KEEP_MS) return handOver(run);
  const { spoolEvent } = await import('./spool-event.ts');
  const kept = await spoolEvent(run, request, server);
  run.unsaved = null;
  run.isSaved = kept.kind === 'kept';
  if (kept.kind === 'not-kept') return end(kept.what, `${kept.detail}; ${reason}`);
  if (reason === BEHIND_OTHERS) await drainInBackground(run);
  await kept.synced;
  return end('spooled', reason);
}

/** Puts an event where a person finds it: the api will never take it. What cannot be set aside now is spooled, and a drainer tries. */
async function setAside(run: Run, request: HookRequest, server: string, reason: string): Promise<Ending> {
  if (run.schedule.endMs - elapsedMs() < KEEP_MS) return handOver(run);
  const { setEventAside } = await import('./spool-event.ts');
  let synced: Promise<void> | null;
  try {
    synced = setEventAside(run.dataDir, request, reason);
  } catch {
    synced = null; // The spool says what is wrong with the disk.
  }
  if (synced === null) return keep(run, request, server, reason);
  run.unsaved = null;
  run.isSaved = true;
  await synced;
  return end('refused', `${reason}, set aside`);
}

async function drainInBackground(run: Run): Promise<void> {
  const { mayTryAgain } = await import('./spool/drain.ts');
  if (!mayTryAgain(run.dataDir)) return;
  const { startDrainer } = await import('./background.ts');
  startDrainer(run.client, run.dataDir);
}
