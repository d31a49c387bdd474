import type { Credentials } from '../../cli/server/access.ts';
import type { RecordedHook } from '../setup/demo-session.ts';
import { asHooks } from '../faults/support/deliveries.ts';
import type { Delivery } from '../faults/support/deliveries.ts';
import { runHook } from '../faults/support/hook-client.ts';
import { sliceOf } from '../faults/support/recorded-sessions.ts';

/** Hooks of a session beside its start and its end. */
const HOOKS = 24;
/** Rest of an agent between two events, at random between these. */
const REST_MS = [300, 1_700] as const;
const REQUEST_TIMEOUT_MS = 10_000;
/** Words of a prompt that are searched. */
const SEARCHED_WORDS = 6;

/** What the requests of people and agents were answered. */
export interface RequestLog {
  /** Times of answered searches and contexts in ms, from request to response. */
  readonly search: number[];
  readonly context: number[];
  /** Responses with status 500 or above. */
  failed: number;
  /** No response: refused, reset, or not in time. */
  unanswered: number;
}

/** An event as its hook client ran. */
export interface SentEvent {
  readonly delivery: Delivery;
  readonly bytes: number;
  readonly at: Date;
  /** How long the client took; null while it runs. */
  tookMs: number | null;
}

export interface LiveSessionOptions {
  /** Sessions of which one is played. */
  readonly recorded: readonly (readonly RecordedHook[])[];
  readonly dataDir: string;
  readonly credentials: Credentials;
  readonly log: RequestLog;
  readonly random: () => number;
  /** False: the session ends now. */
  readonly isWanted: () => boolean;
  /** Called before each event is sent. */
  readonly onSend: (event: SentEvent) => void;
}

/** Sends a request and notes its time, or that it failed. @throws Error for a status between 400 and 499: the request is wrong */
async function timed(times: number[], log: RequestLog, send: () => Promise<Response>): Promise<void> {
  const started = performance.now();
  let response: Response;
  try {
    response = await send();
    await response.arrayBuffer();
  } catch {
    log.unanswered += 1;
    return;
  }
  if (response.status >= 500) log.failed += 1;
  else if (!response.ok) throw new Error(`${response.url} returned ${response.status}`);
  else times.push(performance.now() - started);
}

/** Searches for the words of a prompt, and requests the context for it. */
async function recall(prompt: string, { credentials: { url, apiKey }, log }: LiveSessionOptions): Promise<void> {
  const words = prompt.match(/\p{L}{3,}/gu)?.slice(0, SEARCHED_WORDS) ?? [];
  if (words.length === 0) return;
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const signal = () => AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const query = new URLSearchParams({ q: words.join(' '), limit: '10' });
  await timed(log.search, log, () => fetch(`${url}/api/v1/search?${query.toString()}`, { headers, signal: signal() }));
  const body = JSON.stringify({ purpose: 'prompt', prompt: words.join(' ') });
  await timed(log.context, log, () =>
    fetch(`${url}/api/v1/context`, { method: 'POST', headers, body, signal: signal() }),
  );
}

/** Returns a recorded hook without its time: the client adds the present one. */
function asLive(hook: RecordedHook): RecordedHook {
  const live = { ...hook };
  delete live['timestamp'];
  return live;
}

const eventOf = (hook: RecordedHook): string => hook.hook_event_name;

/** Plays one recorded session as a live one: each event by the hook client in a process of its own, as an agent host does, with rests between them. */
export async function playSession(externalId: string, options: LiveSessionOptions): Promise<void> {
  const { dataDir, recorded, random, isWanted, onSend } = options;
  const session = recorded[Math.floor(random() * recorded.length)] ?? [];
  const inner = sliceOf(session, HOOKS, random);
  const end = session.find((hook) => eventOf(hook) === 'SessionEnd');
  if (end === undefined) throw new Error('a recorded session has no end');
  const hooks = [...inner, end].map(asLive);
  const { deliveries } = asHooks(externalId, hooks);
  for (const [index, hook] of hooks.entries()) {
    const delivery = deliveries[index];
    const isLast = index === hooks.length - 1;
    if (delivery === undefined || (!isWanted() && !isLast && index > 0)) continue;
    const body = { ...hook, ...Object(delivery.body), hook_event_name: eventOf(hook) };
    const event: SentEvent = { delivery, bytes: JSON.stringify(body).length, at: new Date(), tookMs: null };
    onSend(event);
    const { exitCode, output, tookMs } = await runHook(dataDir, body);
    event.tookMs = tookMs;
    if (exitCode !== 0) throw new Error(`the hook client ended with ${exitCode}: ${output.slice(0, 200)}`);
    const prompt = hook['prompt'];
    if (typeof prompt === 'string') await recall(prompt, options);
    const [least, most] = REST_MS;
    if (isWanted()) await new Promise((resolve) => setTimeout(resolve, least + (most - least) * random()));
  }
}
