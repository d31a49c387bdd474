// Generated from hook/ by infra/build/hook-client.ts.
'use strict';
const modules = {
"hook/main.ts"(give, take, require) {
give({
  get hostAnswer() { return hostAnswer; },
  get main() { return main; },
});
const { BACKGROUND, MCP_HEADERS, parseArguments } = take('hook/arguments.ts');
const { folderOf, parseBody, sessionOf, withFields } = take('hook/body.ts');
const {
  adoptPluginOptions,
  claudeSettingsFiles,
  elapsedMs,
  hookDataDirectory,
  hookEnvironment,
  isInternalRun,
} = take('hook/environment.ts');
const { deliver } = take('hook/deliver.ts');
const { newDeliveryId } = take('hook/request.ts');
const { markPoolBusy, leave } = take('hook/leave.ts');
const { bringsContext, isCaptured, startsSession, answerField } = take('hook/hosts.ts');
const { HAND_OVER_MS, INPUT_BYTES, SPOOL_MS, LAST_LOOK_MS, OUTAGE_WAIT_MS, runMs, scheduleOf } = take('hook/limits.ts');
const { hasInstalledHook } = take('hook/own-hooks.ts');
const { sessionName, spoolFiles } = take('hook/spool/folder.ts');
const { readInput } = take('hook/standard-input.ts');
const { findTarget, LOCAL_SERVER } = take('hook/target.ts');
const { writeSync } = require('node:fs');
/** Capacity of a pipe without a reader, so that writing cannot block. */
const PRINTED_BYTES = 48 * 1024;
function textOf(value         , field        )                {
  if (value === null || typeof value !== 'object') return null;
  const text          = Object.entries(value).find(([name]) => name === field)?.[1];
  return typeof text === 'string' && text !== '' ? text : null;
}
/**
 * Returns the server's response for the host as one line of JSON; empty for none. Contains only fields that hosts
 * support: other fields of a later server never reach the agent.
 */
function hostAnswer(named            , body        )         {
  if (body === '' || !bringsContext(named)) return '';
  let answer         ;
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
function fieldAnswer(field                                            , answer         )         {
  const context = textOf(answer, field);
  if (context === null) return {};
  // Cline requires a decision: never to cancel.
  return field === 'contextModification' ? { cancel: false, [field]: context } : { [field]: context };
}
function claudeAnswer(event        , answer         )         {
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
function print(text        )       {
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
/**
 * Sends the hook's JSON from stdin to the server and writes context to stdout. The process always exits with 0 within its limit,
 * which counts from its start. `client` is the running file.
 */
function main(words                   , client        )       {
  if (isInternalRun()) {
    leave();
    return;
  }
  if (words[0] === BACKGROUND) {
    void Promise.resolve().then(() => take('hook/background-work.ts'))
      .then(({ workInBackground }) => workInBackground(words[1], words[2]))
      .catch(() => undefined) // No caller to report to; spooled events remain.
      .then(() => leave());
    return;
  }
  if (words[0] === MCP_HEADERS) {
    void Promise.resolve().then(() => take('hook/mcp-headers.ts')).then(({ printMcpHeaders }) => printMcpHeaders());
    return;
  }
  const args = parseArguments(words);
  if (args?.isPlugin === true) {
    // The hook of `install` sends this event, too, and has its options.
    if (hasInstalledHook(claudeSettingsFiles(), args.event)) return;
    adoptPluginOptions();
  }
  const dataDir = hookDataDirectory(args?.dataDir ?? null);
  const log = async (entry      )                => {
    const { note } = await Promise.resolve().then(() => take('hook/diagnostics.ts'));
    note(dataDir, entry);
  };
  /** Exits even if logging fails. */
  const logAndLeave = async (entry      )                => {
    if (entry.what === 'internal-error') markPoolBusy(true);
    try {
      await log(entry);
    } finally {
      leave();
    }
  };
  const fail = (error         )       => {
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
  const run      = { client, args, dataDir, environment: hookEnvironment(), schedule, unsaved: null, isSaved: false };
  setTimeout(
    () => {
      setTimeout(() => leaveWithBusyPool(), HAND_OVER_MS);
      const hand = ()       => void handOver(run).then((ending) => logAndLeave({ event, ...ending }), fail);
      // Two turns: the first processes an input that is due at the same time.
      setImmediate(() => setImmediate(hand));
    },
    runMs(schedule, elapsedMs()),
  );
  void runHook(run)
    .then((ending) => (ending === null ? leave() : logAndLeave({ event, ...ending })))
    .catch(fail);
}
function leaveWithBusyPool()       {
  markPoolBusy(true);
  leave();
}
/** At the limit: passes an unsaved event to a background process. */
async function handOver({ unsaved, isSaved, client, dataDir }     )                               {
  markPoolBusy(true);
  if (unsaved === null) return { what: 'out-of-time', detail: isSaved ? 'saved before' : 'nothing to save' };
  const { delivery, event, host, namespace, body } = unsaved.request;
  const session = sessionOf(parseBody(body));
  if (session === null) return { what: 'no-session', detail: 'out of time' };
  const { spoolInBackground } = await Promise.resolve().then(() => take('hook/background.ts'));
  const { server, factsOf } = unsaved;
  const order = { dataDir, server, session, delivery, event, host, namespace, factsOf };
  return (await spoolInBackground(client, order, body))
    ? { what: 'handed-over' }
    : { what: 'not-spooled', detail: 'background process not started; out of time' };
}
/** Log entry of a run; null for success. */
function end(what              , detail         )         {
  return { what, ...(detail === undefined ? {} : { detail }) };
}
async function runHook(run     )                  {
  const { event, host, namespace } = run.args;
  // Slightly before the limit, so that a complete input can still be handed over.
  const input = await readInput(INPUT_BYTES, runMs(run.schedule, elapsedMs()) - LAST_LOOK_MS);
  if (input.kind === 'too-large') return end('input-too-large');
  if (input.kind === 'none') return end('no-input');
  const fields = { timestamp: new Date().toISOString() };
  const body = withFields(input.bytes, fields);
  if (body === null) return end('not-json');
  const target = findTarget(run.dataDir, run.environment);
  const read              = { event, host, namespace, delivery: newDeliveryId(), body };
  const save = (request             , factsOf               )              => {
    if (isCaptured(request)) run.unsaved = { request, server: target?.server ?? LOCAL_SERVER, factsOf };
    return request;
  };
  const withFacts = async (folder        )                       => {
    // Before the search for facts, which may take all of the time.
    save(read, folder);
    const { projectFacts } = await Promise.resolve().then(() => take('hook/project/facts.ts'));
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
async function mayOvertake(run     , request             , target        )                   {
  const id = sessionOf(parseBody(request.body));
  if (id === null) return true;
  const session = sessionName(id);
  const waits = ()          =>
    spoolFiles(run.dataDir).some((file) => file.session === session && file.server === target.server);
  if (!waits()) return true;
  if (!bringsContext(request)) return false;
  const { drainSpool } = await Promise.resolve().then(() => take('hook/spool/drain.ts'));
  const untilMs = elapsedMs() + (run.schedule.serverMs - elapsedMs()) / 2;
  await drainSpool({ dataDir: run.dataDir, target, session, untilMs });
  return !waits();
}
/** Spools an event, and starts a drainer if the server may be available. */
async function spool(run     , request             , server        , reason        )                  {
  if (run.schedule.endMs - elapsedMs() < SPOOL_MS) return handOver(run);
  const { spoolEvent } = await Promise.resolve().then(() => take('hook/spool-event.ts'));
  const spooled = await spoolEvent(run, request, server);
  run.unsaved = null;
  run.isSaved = spooled.kind === 'saved';
  if (spooled.kind === 'unsaved') return end(spooled.what, `${spooled.detail}; ${reason}`);
  if (reason === BEHIND_OTHERS) await drainInBackground(run);
  await spooled.synced;
  return end('spooled', reason);
}
/** Quarantines an event that the api permanently rejects; spools it if that fails. */
async function quarantineOrSpool(run     , request             , server        , reason        )                  {
  if (run.schedule.endMs - elapsedMs() < SPOOL_MS) return handOver(run);
  const { quarantineEvent } = await Promise.resolve().then(() => take('hook/spool-event.ts'));
  let synced                      ;
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
async function drainInBackground(run     )                {
  const { mayTryAgain } = await Promise.resolve().then(() => take('hook/spool/drain.ts'));
  if (!mayTryAgain(run.dataDir)) return;
  const { startDrainer } = await Promise.resolve().then(() => take('hook/background.ts'));
  startDrainer(run.client, run.dataDir);
}

},
"hook/target.ts"(give, take, require) {
give({
  get LOCAL_SERVER() { return LOCAL_SERVER; },
  get shortHash() { return shortHash; },
  get findTarget() { return findTarget; },
  get localTarget() { return localTarget; },
  get memoryKeyFor() { return memoryKeyFor; },
});
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');
/** Destination of events. */
/** The instance that lives in the data directory, whatever port it has today. */
const LOCAL_SERVER = 'local';
/** A short name made from a text, for file names; not for secrets. FNV-1a, 32 bits, twice: no library is loaded for it. */
function shortHash(text        )         {
  let forward = 0x811c9dc5;
  let backward = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    forward = Math.imul(forward ^ text.charCodeAt(index), 0x01000193) >>> 0;
    backward = Math.imul(backward ^ text.charCodeAt(text.length - 1 - index), 0x01000193) >>> 0;
  }
  return forward.toString(16).padStart(8, '0') + backward.toString(16).padStart(8, '0');
}
function withoutEndSlash(url        )         {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}
/** Returns address and key of an access file; null if there is none. `fallback`: `api_key`, if the file has no keys for agents. */
function readAccess(
  file        ,
  name          ,
  fallback = true,
)                                                           {
  // Checked first: throwing and catching an error costs more than the rest of this function.
  if (!existsSync(file)) return null;
  let parsed         ;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null; // Unreadable or half written: use the next location.
  }
  if (parsed === null || typeof parsed !== 'object' || !('url' in parsed) || !('api_key' in parsed)) return null;
  const { url } = parsed;
  // The key for agents may do less. Credentials of an older version have none before the next start.
  const apiKey          = name in parsed || !fallback ? Reflect.get(parsed, name) : parsed.api_key;
  return typeof url === 'string' && typeof apiKey === 'string' && URL.canParse(url) && apiKey !== ''
    ? { url, apiKey }
    : null;
}
/**
 * The server that hooks of this data directory go to: the environment's, else `client.json`'s (written by the installer for a
 * remote server), else the local instance's own. Null when none is known.
 */
function findTarget(dataDir        , environment                 )                {
  const remote =
    environment.server !== null && URL.canParse(environment.server.url)
      ? environment.server
      : readAccess(join(dataDir, 'client.json'), 'agent_api_key');
  if (remote !== null) {
    const url = withoutEndSlash(remote.url);
    return { url, apiKey: remote.apiKey, server: shortHash(url) };
  }
  return localTarget(dataDir);
}
/** The instance of the data directory itself; null before its first start. */
function localTarget(dataDir        )                {
  const local = readAccess(join(dataDir, 'credentials.json'), 'agent_api_key');
  return local === null ? null : { url: withoutEndSlash(local.url), apiKey: local.apiKey, server: LOCAL_SERVER };
}
/**
 * Returns the key for memory tools at exactly this address: the environment's, else that of `client.json` or of the local instance. Null
 * if all of them are for other servers.
 */
function memoryKeyFor(address        , dataDir        , environment                 )                {
  const known = [
    environment.server,
    readAccess(join(dataDir, 'client.json'), 'agent_write_api_key'),
    // Without a fallback: `api_key` of an instance is the operator's.
    readAccess(join(dataDir, 'credentials.json'), 'agent_write_api_key', false),
  ];
  const url = withoutEndSlash(address);
  return known.find((access) => access !== null && withoutEndSlash(access.url) === url)?.apiKey ?? null;
}

},
"hook/standard-input.ts"(give, take, require) {
give({
  get readInput() { return readInput; },
});
const { fstatSync, read, readFileSync } = require('node:fs');
const { Socket } = require('node:net');
const { markPoolBusy, canLeaveBusyPool } = take('hook/leave.ts');
/** Quiet time after which a complete JSON text is accepted from a pipe that the host leaves open. */
const QUIET_MS = 30;
const CHUNK_BYTES = 256 * 1024;
const CLOSING_BRACE = 0x7d;
/**
 * Reads what the host writes, at most `maxBytes`. After `waitMs` it returns the input so far if that is complete JSON. A pipe is read
 * in the pool's threads: a read that hung would delay the time limit, and creating a stream takes longer than all the rest of
 * the client.
 */
function readInput(maxBytes        , waitMs = Infinity)                 {
  let size        ;
  try {
    const stat = fstatSync(0);
    // A terminal or a device: it delivers no event.
    if (stat.isCharacterDevice()) return Promise.resolve({ kind: 'none' });
    if (!stat.isFile()) return readPipe(maxBytes, waitMs);
    size = stat.size;
  } catch {
    return Promise.resolve({ kind: 'none' }); // Closed.
  }
  return Promise.resolve(size > maxBytes ? { kind: 'too-large' } : { kind: 'bytes', bytes: readFileSync(0) });
}
/** Receives a chunk; null at the end. Returns whether to continue reading. */
function readPipe(maxBytes        , waitMs        )                 {
  return new Promise((resolve) => {
    const chunks           = [];
    let bytes = 0;
    let quiet                            ;
    const all = ()         => (chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    const finishComplete = ()       => {
      const bytes = all();
      if (isComplete(bytes)) resolve({ kind: 'bytes', bytes });
    };
    // After chunks that have already arrived: a process that waited for a processor runs its due timers first.
    if (waitMs !== Infinity) setTimeout(() => setImmediate(finishComplete), waitMs);
    const take       = (piece) => {
      clearTimeout(quiet);
      bytes += piece?.length ?? 0;
      if (bytes > maxBytes) resolve({ kind: 'too-large' });
      else if (piece === null) resolve(bytes === 0 ? { kind: 'none' } : { kind: 'bytes', bytes: all() });
      if (piece === null || bytes > maxBytes) return false;
      chunks.push(piece);
      quiet = setTimeout(finishComplete, QUIET_MS);
      return true;
    };
    if (canLeaveBusyPool()) readByThread(take);
    else readBySocket(take);
  });
}
function readByThread(take      )       {
  const next = ()       => {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    read(0, chunk, 0, CHUNK_BYTES, null, (error, count) => {
      if (error?.code === 'EAGAIN') setTimeout(next, 5); // The host made its pipe a non-blocking one.
      else if (take(error === null && count > 0 ? chunk.subarray(0, count) : null)) next();
      else markPoolBusy(false);
    });
  };
  markPoolBusy(true);
  next();
}
/** Slower to start, but cancellable. */
function readBySocket(take      )       {
  const socket = new Socket({ fd: 0, readable: true, writable: false });
  socket.on('data', (piece        ) => {
    if (!take(piece)) socket.destroy();
  });
  socket.once('end', () => take(null));
  socket.once('error', () => take(null));
}
/** A JSON object can only be parsed when all of it is there. */
function isComplete(bytes        )          {
  let last = bytes.length - 1;
  while (last >= 0 && (bytes[last] ?? 0) <= 0x20) last -= 1;
  if (bytes[last] !== CLOSING_BRACE) return false;
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false; // Half of it ends with a brace too.
  }
}

},
"hook/leave.ts"(give, take, require) {
give({
  get markPoolBusy() { return markPoolBusy; },
  get canLeaveBusyPool() { return canLeaveBusyPool; },
  get leave() { return leave; },
});
const { existsSync } = require('node:fs');
/** Programs that replace this process and exit with 0. */
const PROGRAMS_THAT_SUCCEED = [
  ['/bin/true', ['true']],
  ['/usr/bin/true', ['true']],
  ['/bin/sh', ['sh', '-c', ':']],
]         ;
let isPoolBusy = false;
/** Records that a thread of Node's pool may block forever (pipe, DNS lookup, disk), or no longer does. */
function markPoolBusy(busy         )       {
  isPoolBusy = busy;
}
/**
 * Returns true if this process can exit with a blocked pool thread. Node before 22.15 cannot: there only disk writes may use
 * the pool.
 */
function canLeaveBusyPool()          {
  return typeof process.execve === 'function';
}
/**
 * Exits with 0 at once. The usual exit waits for pool threads: if one may block, another program replaces this
 * process instead.
 */
function leave()        {
  if (isPoolBusy && typeof process.execve === 'function') {
    const [program, words] = PROGRAMS_THAT_SUCCEED.find(([file]) => existsSync(file)) ?? PROGRAMS_THAT_SUCCEED[2];
    process.execve(program, [...words], {});
  }
  process.exit(0);
}

},
"hook/spool/folder.ts"(give, take, require) {
give({
  get spoolFolder() { return spoolFolder; },
  get sessionName() { return sessionName; },
  get waitingName() { return waitingName; },
  get claimedName() { return claimedName; },
  get spoolFiles() { return spoolFiles; },
  get folderBytes() { return folderBytes; },
});
const { existsSync, readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');
const { shortHash } = take('hook/target.ts');
/** A file of pending events: one per session and server. */
const WAITING = /^([\w-]{1,64})\.([\w-]{1,16})\.ndjson$/;
const CLAIMED = /^([\w-]{1,64})\.([\w-]{1,16})\.(\d{1,15})\.[0-9a-f-]{36}\.draining$/;
const SAFE_SESSION = /^[\w-]{1,64}$/;
const SHOWN_CHARS = 40;
function spoolFolder(dataDir        )         {
  return join(dataDir, 'spool');
}
/** Returns a session's part of a file name: the id if it is safe, else its start with unsafe characters replaced, and a hash. */
function sessionName(sessionId        )         {
  if (SAFE_SESSION.test(sessionId)) return sessionId;
  return `${sessionId.slice(0, SHOWN_CHARS).replaceAll(/[^\w-]/g, '_')}-${shortHash(sessionId)}`;
}
function waitingName(session        , server        )         {
  return `${session}.${server}.ndjson`;
}
/** `token` ties the name to the drainer: a stalled drainer cannot change a file that another one has claimed. */
function claimedName(file                                       , offsetBytes        , token        )         {
  return `${file.session}.${file.server}.${offsetBytes}.${token}.draining`;
}
/** Returns the files of the spool, those that a drainer claimed first, because they contain earlier events. Empty without a spool. */
function spoolFiles(dataDir        )              {
  const folder = spoolFolder(dataDir);
  if (!existsSync(folder)) return [];
  let names          ;
  try {
    names = readdirSync(folder);
  } catch {
    return []; // No folder, or not readable.
  }
  const claimed              = [];
  const waiting              = [];
  for (const name of names) {
    const [, session, server, offset] = WAITING.exec(name) ?? CLAIMED.exec(name) ?? [];
    if (session === undefined || server === undefined) continue;
    if (offset === undefined) waiting.push({ name, session, server, claim: null });
    else claimed.push({ name, session, server, claim: { offsetBytes: Number(offset) } });
  }
  return [...claimed, ...waiting];
}
/** Bytes of all files in a folder and the folders in it. */
function folderBytes(folder        )         {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const at = join(folder, entry.name);
    // A drainer may have removed it meanwhile.
    bytes += entry.isDirectory() ? folderBytes(at) : (statSync(at, { throwIfNoEntry: false })?.size ?? 0);
  }
  return bytes;
}

},
"hook/own-hooks.ts"(give, take, require) {
give({
  get isOwn() { return isOwn; },
  get hasInstalledHook() { return hasInstalledHook; },
});
const { existsSync } = require('node:fs');
const { isAbsolute } = require('node:path');
const { readText } = take('hook/project/read-text.ts');
const KEY_VARIABLE = 'RECOLLECT_API_KEY';
const HOOK_URL = /^https?:\/\/[^\s?#]*\/api\/v1\/hooks\/[A-Za-z0-9_-]+(?:\?[^\s#]*)?$/;
/** Matches the copy of the client in any data directory, followed by the `--data-dir` that the installer always writes. */
const CLIENT_COMMAND = /[/\\]client[/\\]\d[^/\\'"\n]{0,64}[/\\]client\.cjs['"]?\s(?:[^\n]*\s)?['"]?--data-dir\b/;
/** A word of a command line as the installer quotes it. */
const WORD = /'(?:[^']|'\\'')*'|[^\s']+/g;
function isRecord(value         )                                             {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
/** Returns true for a hook that `install` wrote, for any version, address or folder. */
function isOwn(hook         )          {
  if (!isRecord(hook)) return false;
  const { type, url, command, headers } = hook;
  if (type === 'http')
    return typeof url === 'string' && HOOK_URL.test(url) && JSON.stringify(headers ?? {}).includes(KEY_VARIABLE);
  return typeof command === 'string' && CLIENT_COMMAND.test(command);
}
/** Returns true if Node and the client of a hook of `install` are on this machine: project settings may come from another one. */
function runsHere(hook         )          {
  if (!isRecord(hook) || typeof hook['command'] !== 'string') return true;
  const words = (hook['command'].match(WORD) ?? []).slice(0, 2);
  return words
    .map((word) => (word.startsWith("'") ? word.slice(1, -1).replaceAll(`'\\''`, "'") : word))
    .every((file) => isAbsolute(file) && existsSync(file));
}
/** Bound of a settings file, as of the installer. */
const SETTINGS_BYTES = 4 * 1024 * 1024;
/** Returns the groups of hooks of an event in a settings file; none if it is missing or is not JSON. */
function groupsIn(file        , event        )                     {
  const text = readText(file, SETTINGS_BYTES);
  if (text === null) return [];
  try {
    const settings          = JSON.parse(text.replace(/^\uFEFF/, ''));
    const hooks = isRecord(settings) ? settings['hooks'] : null;
    const groups = isRecord(hooks) && Object.hasOwn(hooks, event) ? hooks[event] : null;
    return Array.isArray(groups) ? groups : [];
  } catch {
    return []; // Claude Code does not use such a file either.
  }
}
/** Returns true if one of these settings files of Claude Code has a working hook of `install` for the event. */
function hasInstalledHook(files                   , event        )          {
  return files.some((file) =>
    groupsIn(file, event).some((group) => {
      const hooks = isRecord(group) ? group['hooks'] : null;
      return Array.isArray(hooks) && hooks.some((hook) => isOwn(hook) && runsHere(hook));
    }),
  );
}

},
"hook/project/read-text.ts"(give, take, require) {
give({
  get readText() { return readText; },
});
const { closeSync, constants, fstatSync, openSync, readSync, statSync } = require('node:fs');
/**
 * Returns the text of a regular file of at most `maxBytes`; null for anything else. A folder chooses these files: a FIFO would block
 * the reader, a device could act on being opened, a large file would fill the memory.
 */
function readText(file        , maxBytes        )                {
  let handle                    ;
  try {
    if (!statSync(file).isFile()) return null;
    // Does not block if the file was replaced by a FIFO meanwhile.
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = fstatSync(handle);
    if (!found.isFile() || found.size > maxBytes) return null;
    const bytes = Buffer.alloc(found.size);
    let filled = 0;
    for (let read = -1; read !== 0 && filled < bytes.length; filled += read)
      read = readSync(handle, bytes, filled, bytes.length - filled, filled);
    return bytes.toString('utf8', 0, filled);
  } catch {
    return null; // Absent, or unreadable for this user.
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

},
"hook/limits.ts"(give, take, require) {
give({
  get LAST_LOOK_MS() { return LAST_LOOK_MS; },
  get SPOOL_MS() { return SPOOL_MS; },
  get HAND_OVER_MS() { return HAND_OVER_MS; },
  get OUTAGE_WAIT_MS() { return OUTAGE_WAIT_MS; },
  get INPUT_BYTES() { return INPUT_BYTES; },
  get REDACT_AT_ONCE_BYTES() { return REDACT_AT_ONCE_BYTES; },
  get SPOOL_BYTES() { return SPOOL_BYTES; },
  get EVENT_NAME() { return EVENT_NAME; },
  get scheduleOf() { return scheduleOf; },
  get runMs() { return runMs; },
});
/** Time limit from process start to exit. */
const CAPTURE_LIMIT_MS = 500;
const CONTEXT_LIMIT_MS = 2_000;
/** Part of the limit reserved to redact, write and sync an undelivered event. */
const CAPTURE_RESERVE_MS = 150;
const CONTEXT_RESERVE_MS = 300;
/** Time to hand an event to another process and exit. */
const LEAVE_MS = 70;
/** Minimum run time to read the input if Node's start took most of the limit, or more than the limit. */
const LEAST_RUN_MS = 120;
const LATE_RUN_MS = 500;
/** Time before the limit at which an unfinished input is checked once more. */
const LAST_LOOK_MS = 20;
/** With less time, a background process redacts and writes. */
const SPOOL_MS = 60;
/**
 * Extra time to hand over an event after the limit. A tenth usually suffices; the rest is for overloaded machines, where the limit
 * is already exceeded.
 */
const HAND_OVER_MS = 250;
/** Timeout for a server with pending spooled events. */
const OUTAGE_WAIT_MS = 400;
/** Maximum size of a hook on the server. */
const INPUT_BYTES = 32 * 1024 * 1024;
/** Larger events are redacted in the background. */
const REDACT_AT_ONCE_BYTES = 512 * 1024;
const SPOOL_BYTES = 64 * 1024 * 1024;
const EVENT_NAME = /^[A-Za-z0-9_-]{1,64}$/;
/** Deadlines in milliseconds since the process start. */
/** Returns the deadlines of one run; longer for events with context. */
function scheduleOf(context         )           {
  const [limit, reserve] = context ? [CONTEXT_LIMIT_MS, CONTEXT_RESERVE_MS] : [CAPTURE_LIMIT_MS, CAPTURE_RESERVE_MS];
  return { serverMs: limit - reserve, endMs: limit - LEAVE_MS };
}
/** Returns the remaining time of a run in ms; a minimum on overloaded machines. */
function runMs({ endMs }          , nowMs        )         {
  return nowMs > endMs ? LATE_RUN_MS : Math.max(endMs - nowMs, LEAST_RUN_MS);
}

},
"hook/hosts.ts"(give, take, require) {
give({
  get DEFAULT_NAMESPACE() { return DEFAULT_NAMESPACE; },
  get DEFAULT_HOST() { return DEFAULT_HOST; },
  get bringsContext() { return bringsContext; },
  get startsSession() { return startsSession; },
  get isCaptured() { return isCaptured; },
  get answerField() { return answerField; },
});
/** Rules of an agent host that the client needs. */
/** Namespace of sessions without one. */
const DEFAULT_NAMESPACE = 'default';
const DEFAULT_HOST = 'claude-code';
/** Documented behaviour only: hosts may show unknown output as an error at every turn. */
const HOSTS                                      = {
  [DEFAULT_HOST]: {
    context: ['SessionStart', 'UserPromptSubmit', 'PreToolUse'],
    sessionStart: ['SessionStart'],
    questions: ['PreToolUse'],
    answer: 'hookSpecificOutput',
  },
  'codex-cli': {
    context: ['SessionStart', 'UserPromptSubmit'],
    sessionStart: ['SessionStart'],
    questions: ['PreToolUse'],
    answer: 'hookSpecificOutput',
  },
  cursor: {
    context: ['sessionStart'],
    sessionStart: ['sessionStart'],
    questions: ['preToolUse', 'beforeShellExecution', 'beforeMCPExecution', 'beforeReadFile', 'beforeTabFileRead'],
    answer: 'additional_context',
  },
  'gemini-cli': {
    context: ['SessionStart', 'BeforeAgent'],
    sessionStart: ['SessionStart'],
    // PreCompress comes before each request, whether it is compressed or not.
    questions: ['BeforeTool', 'BeforeToolSelection', 'BeforeModel', 'AfterModel', 'PreCompress'],
    answer: 'hookSpecificOutput',
  },
  opencode: {
    context: ['session_created', 'chat_message'],
    sessionStart: ['session_created'],
    questions: [],
    answer: 'additional_context',
  },
  // Has no event for the start of a session, names no folder and shows its agent no output.
  windsurf: {
    context: [],
    sessionStart: ['pre_user_prompt'],
    questions: ['pre_read_code', 'pre_write_code', 'pre_run_command', 'pre_mcp_tool_use'],
    answer: 'additional_context',
  },
  cline: {
    context: ['TaskStart', 'TaskResume', 'UserPromptSubmit'],
    sessionStart: ['TaskStart', 'TaskResume'],
    questions: ['PreToolUse'],
    answer: 'contextModification',
  },
};
/** Event name and host. */
function rulesOf(host        )                        {
  return Object.hasOwn(HOSTS, host) ? HOSTS[host] : undefined;
}
function bringsContext({ event, host }            )          {
  return rulesOf(host)?.context.includes(event) === true;
}
function startsSession({ event, host }            )          {
  return rulesOf(host)?.sessionStart.includes(event) === true;
}
/** Returns true if the event is captured. */
function isCaptured({ event, host }            )          {
  return rulesOf(host)?.questions.includes(event) !== true;
}
/** Returns the field in which a host expects context. */
function answerField(host        )              {
  return rulesOf(host)?.answer ?? 'hookSpecificOutput';
}

},
"hook/request.ts"(give, take, require) {
give({
  get newDeliveryId() { return newDeliveryId; },
  get pathOf() { return pathOf; },
  get headersOf() { return headersOf; },
});
const { DEFAULT_HOST, DEFAULT_NAMESPACE } = take('hook/hosts.ts');
const { closeSync, openSync, readSync } = require('node:fs');
/** Returns 16 random bytes from the kernel: loading Node's crypto takes a third of the client's run time. */
function randomBytes()                {
  const bytes = Buffer.allocUnsafe(16);
  let handle        ;
  try {
    handle = openSync('/dev/urandom', 'r');
  } catch {
    return null; // Device does not exist.
  }
  try {
    return readSync(handle, bytes, 0, 16, null) === 16 ? bytes : null;
  } finally {
    closeSync(handle);
  }
}
/** Returns a random UUID (version 4) that identifies a delivery across retries. */
function newDeliveryId()         {
  const bytes = randomBytes();
  if (bytes === null) return crypto.randomUUID();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
/** One event to deliver. */
/** Returns path and query of a hook's route. */
function pathOf(base     , { event, host, namespace }             )         {
  const prefix = base.pathname.endsWith('/') ? base.pathname.slice(0, -1) : base.pathname;
  const query = [
    ...(host === DEFAULT_HOST ? [] : [`host=${host}`]),
    ...(namespace === DEFAULT_NAMESPACE ? [] : [`namespace=${encodeURIComponent(namespace)}`]),
  ].join('&');
  return `${prefix}/api/v1/hooks/${event}${query === '' ? '' : `?${query}`}`;
}
function headersOf({ apiKey }        , request             )                         {
  return {
    Authorization: `Bearer ${apiKey}`,
    'Content-Type': 'application/json',
    'Content-Length': String(request.body.reduce((sum, part) => sum + part.length, 0)),
    'X-Recollect-Delivery': request.delivery,
    ...(request.fromSpool === true ? { 'X-Recollect-Source': 'spool' } : {}),
  };
}

},
"hook/deliver.ts"(give, take, require) {
give({
  get deliver() { return deliver; },
});
const { connect } = require('node:net');
const { AnswerReader } = take('hook/answer-reader.ts');
const { markPoolBusy } = take('hook/leave.ts');
const { outcomeOf, reasonOf } = take('hook/outcome.ts');
const { headersOf, pathOf } = take('hook/request.ts');
const { lookUpOption } = take('hook/look-up.ts');
/** Prevents header injection by a key or an address. */
const HEADER_VALUE = /^[\x20-\x7e]*$/;
/**
 * Sends one event over its own connection. Never rejects. HTTP is implemented here, because Node's module takes longer
 * to load than the server takes to respond; HTTPS uses Node.
 */
function deliver(target        , request             , options                )                   {
  const base = new URL(target.url);
  if (base.protocol !== 'http:') return deliverByNode(target, request, options);
  return new Promise((resolve) => {
    const headers = Object.entries({ Host: base.host, ...headersOf(target, request), Connection: 'close' });
    if (headers.some(([, value]) => !HEADER_VALUE.test(value))) {
      resolve({ kind: 'unavailable', reason: 'invalid characters in the key' });
      return;
    }
    const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const reader = new AnswerReader(!options.needsBody);
    const socket = connect({
      host: base.hostname.startsWith('[') ? base.hostname.slice(1, -1) : base.hostname,
      port: base.port === '' ? 80 : Number(base.port),
      ...lookUpOption(),
    });
    const finish = (outcome         )       => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const fail = (error         )       => finish({ kind: 'unavailable', reason: reasonOf(error) });
    const timer = setTimeout(
      () => {
        markPoolBusy(true); // By a DNS lookup.
        finish({ kind: 'unavailable', reason: 'timeout' });
      },
      Math.max(options.timeoutMs, 1),
    );
    socket.setNoDelay(true);
    // One write: a small event goes out as one packet.
    socket.write(
      Buffer.concat([Buffer.from(`POST ${pathOf(base, request)} HTTP/1.1\r\n${head}\r\n`, 'latin1'), ...request.body]),
    );
    socket.on('data', (chunk        ) => {
      try {
        const answer = reader.push(chunk);
        if (answer !== null) finish(outcomeOf(answer));
      } catch (error) {
        fail(error);
      }
    });
    socket.once('error', fail);
    socket.once('close', () => {
      const answer = reader.end();
      if (answer === null) fail(new Error('connection closed without a response'));
      else finish(outcomeOf(answer));
    });
  });
}
async function deliverByNode(target        , request             , options                )                   {
  const { createSender } = await Promise.resolve().then(() => take('hook/sender.ts'));
  const sender = createSender(target);
  try {
    return await sender.send(request, options.timeoutMs);
  } finally {
    sender.close();
  }
}

},
"hook/look-up.ts"(give, take, require) {
give({
  get lookUpOption() { return lookUpOption; },
});

const { canLeaveBusyPool } = take('hook/leave.ts');
/** Returns a lookup in a child process for Node versions that cannot exit during a blocked lookup; else none. */
function lookUpOption()                                       {
  return canLeaveBusyPool() ? {} : { lookup: lookUpApart };
}
const lookUpApart                 = (name, options, done) => {
  void Promise.resolve().then(() => take('hook/child-look-up.ts')).then(({ lookUpByChild }) => lookUpByChild(name, options, done));
};

},
"hook/outcome.ts"(give, take, require) {
give({
  get outcomeOf() { return outcomeOf; },
  get reasonOf() { return reasonOf; },
});

/** Result of sending one event. Only api responses count, not those of a proxy or another server on its port. */
/** Error codes of permanent rejections (`api/errors.ts`). */
const REFUSED = new Set([
  'INVALID_JSON',
  'INVALID_UTF8',
  'MALFORMED_REQUEST',
  'OIDC_FAILED',
  'HEADERS_TOO_LARGE',
  'CONFLICT',
  'CONTRADICTED',
  'HASH_AMBIGUOUS',
  'LEGAL_HOLD',
  'DRY_RUN_REQUIRED',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'VALIDATION_FAILED',
  'UNKNOWN_EVENT_TYPE',
  'EVENT_TOO_LARGE',
  'EVENT_NOT_STORABLE',
]);
const UNWANTED = new Set(['SESSION_DELETED', 'EVENT_FORGOTTEN', 'CAPTURE_DISABLED', 'FOLDER_EXCLUDED']);
const UNDELIVERABLE = new Set([401, 403, 404, 405, 408, 421]);
/** Returns the outcome of a response. */
function outcomeOf({ status, isApi, body }        )          {
  // A proxy before the api may limit bodies: then this event is too large for it, and others are not.
  if (!isApi) return { kind: status === 413 ? 'later' : 'unavailable', reason: `status ${status}, not of Recollect` };
  if (status >= 200 && status < 300) return { kind: 'accepted', body };
  // A changed key, a wrong address or a slow connection does not reject the event.
  if (status < 400 || UNDELIVERABLE.has(status)) return { kind: 'unavailable', reason: `status ${status}` };
  const code = status < 500 ? errorCode(body) : '';
  const reason = `status ${status}${code === '' ? '' : ` ${code}`}`;
  // The quota is the user's: events of other sessions would be rejected, too.
  if (code === 'RATE_LIMITED') return { kind: 'unavailable', reason };
  if (UNWANTED.has(code)) return { kind: 'unwanted', reason };
  return { kind: REFUSED.has(code) ? 'refused' : 'later', reason };
}
/** Returns the code of an api error; '' without one. */
function errorCode(body        )         {
  let answer         ;
  try {
    answer = JSON.parse(body);
  } catch {
    return '';
  }
  if (answer === null || typeof answer !== 'object' || !('code' in answer)) return '';
  return typeof answer.code === 'string' && /^[A-Z\d_]{1,40}$/.test(answer.code) ? answer.code : '';
}
/** Returns the code of a connection error, which contains no content. */
function reasonOf(error         )         {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 120);
}

},
"hook/answer-reader.ts"(give, take, require) {
give({
  get API_HEADER() { return API_HEADER; },
  get AnswerReader() { return AnswerReader; },
  get isApiVersion() { return isApiVersion; },
});

const HEAD_BYTES = 64 * 1024;
const BODY_BYTES = 1024 * 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
/** Header of every api response, including errors and unknown routes. */
const API_HEADER = 'x-api-version';
const API_VERSION = /^\d{1,4}$/;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: |$)/;
/** Reads one HTTP/1.1 response from a connection. @throws Error for invalid HTTP and oversized responses */
class AnswerReader {
                   headOnly         ;
          bytes         = Buffer.alloc(0);
          head              = null;
  constructor(headOnly         ) {
    this.headOnly = headOnly;
  }
  /** Adds received bytes. Returns the response once complete, or once its head suffices; else null. */
  push(chunk        )                {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    this.head ??= this.readHead();
    if (this.head === null) return null;
    const { status, isApi } = this.head;
    if (!isApi || (this.headOnly && !hasReason(status))) return { status, isApi, body: '' };
    const body = this.readBody(this.head);
    return body === null ? null : { status, isApi, body: body.toString('utf8') };
  }
  /** Ends the connection. Returns a response without a length; null if it is incomplete. */
  end()                {
    if (this.head === null || this.head.chunked || this.head.length !== null) return null;
    const { status, isApi, bodyAt } = this.head;
    return { status, isApi, body: this.bytes.toString('utf8', bodyAt) };
  }
          readHead()              {
    for (;;) {
      const end = this.bytes.indexOf(HEAD_END);
      if (end > HEAD_BYTES || (end === -1 && this.bytes.length > HEAD_BYTES)) throw new Error('response head too long');
      if (end === -1) return null;
      const [first = '', ...lines] = this.bytes.toString('latin1', 0, end).split('\r\n');
      const status = Number(STATUS_LINE.exec(first)?.[1] ?? Number.NaN);
      if (Number.isNaN(status)) throw new Error('response is not HTTP/1.1');
      const bodyAt = end + HEAD_END.length;
      if (status >= 200) return { status, bodyAt, ...framing(status, lines) };
      this.bytes = this.bytes.subarray(bodyAt); // An interim response; the final one follows.
    }
  }
          readBody({ bodyAt, length, chunked }      )                {
    if (this.bytes.length - bodyAt > BODY_BYTES) throw new Error('response too long');
    if (chunked) return readChunks(this.bytes, bodyAt);
    if (length === null || this.bytes.length < bodyAt + length) return null;
    return this.bytes.subarray(bodyAt, bodyAt + length);
  }
}
/** Returns true if the body has the reason of a rejection. */
function hasReason(status        )          {
  return status >= 400 && status < 500;
}
/** Returns true for a valid value of `API_HEADER`. */
function isApiVersion(value         )          {
  return typeof value === 'string' && API_VERSION.test(value);
}
function framing(status        , lines                   )                                             {
  let length                = null;
  let chunked = false;
  let isApi = false;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === API_HEADER) isApi = isApiVersion(value);
    if (name === 'transfer-encoding' && /\bchunked$/i.test(value)) chunked = true;
    if (name === 'content-length') {
      if (!/^\d{1,12}$/.test(value)) throw new Error('invalid Content-Length');
      length = Number(value);
    }
  }
  if (status === 204 || status === 304) return { isApi, length: 0, chunked: false };
  if (chunked) return { isApi, length: null, chunked };
  if (length !== null && length > BODY_BYTES) throw new Error('response too long');
  return { isApi, length, chunked };
}
/** Returns a decoded chunked body; null while incomplete. */
function readChunks(bytes        , from        )                {
  const parts           = [];
  let at = from;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd === -1) return null;
    const size = /^([0-9a-f]{1,8})[ \t]*(?:;|$)/i.exec(bytes.toString('latin1', at, lineEnd))?.[1];
    if (size === undefined) throw new Error('invalid chunked encoding');
    const length = Number.parseInt(size, 16);
    if (length === 0) return Buffer.concat(parts);
    const start = lineEnd + 2;
    if (bytes.length < start + length + 2) return null;
    parts.push(bytes.subarray(start, start + length));
    at = start + length + 2;
  }
}

},
"hook/environment.ts"(give, take, require) {
give({
  get elapsedMs() { return elapsedMs; },
  get hookEnvironment() { return hookEnvironment; },
  get adoptPluginOptions() { return adoptPluginOptions; },
  get mcpServerPlace() { return mcpServerPlace; },
  get claudeSettingsFiles() { return claudeSettingsFiles; },
  get isInternalRun() { return isInternalRun; },
  get hookDataDirectory() { return hookDataDirectory; },
  get hookUser() { return hookUser; },
});
const { delimiter, isAbsolute, join, resolve } = require('node:path');
const { SPOOL_BYTES } = take('hook/limits.ts');
/** Returns milliseconds since the process start. Not `performance.now()`, whose module takes 1 ms to load. */
function elapsedMs()         {
  return process.uptime() * 1_000;
}
/** Settings of the client from the agent's environment. */
/** Returns the client's settings. Separate from config/, whose code is larger than the client. */
function hookEnvironment(
  environment                                               = process.env,
)                  {
  const url = environment['RECOLLECT_URL'];
  const apiKey = environment['RECOLLECT_API_KEY'];
  const spoolMaxBytes = Number(environment['RECOLLECT_SPOOL_MAX_BYTES'] || SPOOL_BYTES);
  return {
    server: url && apiKey ? { url, apiKey } : null,
    spoolMaxBytes: Number.isSafeInteger(spoolMaxBytes) && spoolMaxBytes >= 0 ? spoolMaxBytes : SPOOL_BYTES,
  };
}
/** Address of an instance with the default port, as in the plugin's option. */
const DEFAULT_URL = 'http://127.0.0.1:37700';
/**
 * Applies the options of the Claude Code plugin to this process and to those that it starts: they come before the environment's
 * own. A server needs a key; without one it is found as for other hooks.
 */
function adoptPluginOptions(environment                                     = process.env)       {
  const option = (name        )                     => environment[`CLAUDE_PLUGIN_OPTION_${name}`]?.trim() || undefined;
  const dataDir = option('DATA_DIR');
  const apiKey = option('API_KEY');
  if (dataDir !== undefined) environment['RECOLLECT_DATA_DIR'] = fromHome(dataDir, environment);
  if (apiKey === undefined) return;
  environment['RECOLLECT_API_KEY'] = apiKey;
  environment['RECOLLECT_URL'] = option('SERVER_URL') ?? DEFAULT_URL;
}
/** Returns a folder with `~` resolved; a relative one is in the home folder, never in the agent's working folder. */
function fromHome(folder        , environment                                              )         {
  return resolve(homeOf(environment), folder.replace(/^~(?=[/\\]|$)/, '.'));
}
/** Server for which Claude Code requests headers. */
/** Returns the server of the plugin and its data directory, which is in the fragment of the address; null if Claude Code passed no address. */
function mcpServerPlace(
  environment                                               = process.env,
)                        {
  const address = environment['CLAUDE_CODE_MCP_SERVER_URL'] ?? '';
  if (!URL.canParse(address)) return null;
  const { origin, pathname, hash } = new URL(address);
  const option = decoded(hash.slice(1));
  if (option === null) return null;
  const dataDir = option === '' ? hookDataDirectory(null, environment) : fromHome(option, environment);
  return { url: `${origin}${pathname.replace(/\/+mcp$/, '')}`, dataDir };
}
/** Decodes a part of an address; null if it is invalid. */
function decoded(text        )                {
  try {
    return decodeURIComponent(text);
  } catch {
    return null; // An incomplete escape.
  }
}
/** Returns the settings files of Claude Code that apply to this process, the user's first. */
function claudeSettingsFiles(
  environment                                               = process.env,
)                    {
  const user = environment['CLAUDE_CONFIG_DIR'] || join(homeOf(environment), '.claude');
  const project = environment['CLAUDE_PROJECT_DIR'];
  return [
    join(user, 'settings.json'),
    ...(project ? ['settings.json', 'settings.local.json'].map((name) => join(project, '.claude', name)) : []),
  ];
}
/**
 * Returns true within a model request of Recollect itself, which runs the user's `claude`: a captured one would be summarised by another. Set by
 * `models/claude-cli/program.ts`.
 */
function isInternalRun(environment                                               = process.env)          {
  return (environment['RECOLLECT_INTERNAL'] ?? '') !== '';
}
/** Returns the absolute data directory: of the environment, else the command line, else the default. */
function hookDataDirectory(
  given               ,
  environment                                               = process.env,
)         {
  const named = environment['RECOLLECT_DATA_DIR'] || given;
  return named ? resolve(named) : join(homeOf(environment), '.recollect');
}
/**
 * Never a relative path: the agent's working folder would choose the server and its key. The module is loaded on demand, since it is
 * rarely needed.
 */
function homeOf(environment                                              )         {
  return environment['HOME'] || environment['USERPROFILE'] || process.getBuiltinModule('node:os').userInfo().homedir;
}
/** User of the client: owner of readable repositories, and PATH for git. */
function hookUser(environment                                               = process.env)           {
  const own = process.geteuid?.();
  const caller = own === 0 ? Number(environment['SUDO_UID'] || Number.NaN) : Number.NaN;
  return {
    ids: own === undefined ? null : Number.isInteger(caller) ? [own, caller] : [own],
    home: homeOf(environment),
    programFolders: (environment['PATH'] ?? '').split(delimiter).filter(isAbsolute).join(delimiter),
  };
}

},
"hook/body.ts"(give, take, require) {
give({
  get withFields() { return withFields; },
  get parseBody() { return parseBody; },
  get sessionOf() { return sessionOf; },
  get folderOf() { return folderOf; },
});
const { resolve } = require('node:path');
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
function skipSpace(bytes        , from        )         {
  let at = from;
  while (at < bytes.length && (bytes[at] ?? 0) <= 0x20) at += 1;
  return at;
}
/**
 * Puts fields in front of a JSON object without reading it: a body of megabytes is neither parsed nor copied. A field that the
 * object has itself comes later and so is the one that counts. Null when the bytes are no object.
 */
function withFields(bytes        , fields                                  )                  {
  const start = skipSpace(bytes, bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0);
  if (bytes[start] !== OPENING_BRACE) return null;
  const rest = skipSpace(bytes, start + 1);
  const own = JSON.stringify(fields).slice(0, -1);
  const comma = bytes[rest] === CLOSING_BRACE || own === '{' ? '' : ',';
  return [Buffer.from(own + comma, 'utf8'), bytes.subarray(rest)];
}
/** Returns the parsed object of a hook; null for anything else. */
function parseBody(parts                   )                                           {
  try {
    const value          = JSON.parse(Buffer.concat(parts).toString('utf8'));
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null; // Invalid JSON; the caller logs it.
  }
}
/** Fields with the session id, by host. */
const SESSION_FIELDS = [
  'session_id',
  'conversation_id',
  'sessionId',
  'thread-id',
  'thread_id',
  'trajectory_id',
  'taskId',
]         ;
const SESSION_CHARS = 256;
/** Returns the session id of a hook; null without one: servers reject such events. */
function sessionOf(body                                          )                {
  if (body === null) return null;
  for (const field of SESSION_FIELDS) {
    const session = body[field];
    if (typeof session === 'string' && session !== '' && session.length <= SESSION_CHARS) return session;
  }
  return null;
}
/** Longer than a path of any system. */
const FOLDER_CHARS = 4_096;
/** Returns the absolute working folder of a session, by default that of this process. Null if it was removed, or its name is too long. */
function folderOf(body                                          )                {
  const roots          = body?.['workspace_roots'] ?? body?.['workspaceRoots'];
  const folders = [body?.['cwd'], Array.isArray(roots) ? roots[0] : null, body?.['workspacePath']];
  const named = folders.find((folder)                   => typeof folder === 'string' && folder !== '');
  try {
    const folder = resolve(named ?? '');
    return folder.length <= FOLDER_CHARS ? folder : null;
  } catch {
    return null; // This process has no folder any more.
  }
}

},
"hook/arguments.ts"(give, take, require) {
give({
  get BACKGROUND() { return BACKGROUND; },
  get MCP_HEADERS() { return MCP_HEADERS; },
  get parseArguments() { return parseArguments; },
});
const { DEFAULT_HOST, DEFAULT_NAMESPACE } = take('hook/hosts.ts');
const { EVENT_NAME } = take('hook/limits.ts');
/** Arguments of the client. */
/** First argument of background processes. */
const BACKGROUND = '--background';
/** First argument of the program that prints the headers of the plugin's MCP server. */
const MCP_HEADERS = '--mcp-headers';
/** Maximum length of a namespace on the server. */
const NAMESPACE_CHARS = 128;
/** Reads `EVENT [--host HOST] [--namespace NAME] [--data-dir FOLDER] [--plugin]`; ignores other arguments. Returns null without a valid event. */
function parseArguments(args                   )                       {
  let event                = null;
  let host = DEFAULT_HOST;
  let namespace = DEFAULT_NAMESPACE;
  let dataDir                = null;
  let isPlugin = false;
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const [name, attached] = word.startsWith('--') ? splitOnce(word) : [word];
    if (name === '--host' || name === '--namespace' || name === '--data-dir') {
      const value = attached ?? args[(index += 1)] ?? '';
      if (name === '--data-dir') dataDir = value === '' ? null : value;
      else if (name === '--namespace') namespace = value === '' ? namespace : value.slice(0, NAMESPACE_CHARS);
      else if (EVENT_NAME.test(value)) host = value;
    } else if (name === '--plugin') {
      isPlugin = true;
    } else if (event === null && !word.startsWith('-')) {
      event = word;
    }
  }
  return event !== null && EVENT_NAME.test(event) ? { event, host, namespace, dataDir, isPlugin } : null;
}
function splitOnce(word        )                    {
  const at = word.indexOf('=');
  return at === -1 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

},
};

const made = new Map();
let later;
function take(id) {
  const known = made.get(id);
  if (known !== undefined) return known;
  let make = modules[id];
  if (make === undefined) make = (later ??= require('./later.cjs'))[id];
  let module = {};
  made.set(id, module);
  make((exports) => { module = exports; made.set(id, module); }, take, require);
  return module;
}
const words = process.argv.slice(2);
take('hook/main.ts').main(words[0] === 'hook' ? words.slice(1) : words, __filename);
