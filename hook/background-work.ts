import { parseBody } from './body.ts';
import type { SpoolOrder } from './background.ts';
import { note } from './diagnostics.ts';
import { hookEnvironment, hookUser, elapsedMs } from './environment.ts';
import { INPUT_BYTES } from './limits.ts';
import { appendToSpool } from './spool/append.ts';
import { drainSpool } from './spool/drain.ts';
import { projectFacts } from './project/facts.ts';
import { readInput } from './standard-input.ts';
import { findTarget } from './target.ts';

/** Time limit of a background drain; the next hook starts another. */
const DRAIN_MS = 300_000;
/** Time limit of git for project facts; a hook has too little time on a busy machine. */
const GIT_TIMEOUT_MS = 30_000;
const ORDER_BYTES = 16 * 1024;
const LINE_BREAK = 0x0a;

/** Runs a background job of a hook; reports to the log only. */
export async function workInBackground(job: string | undefined, dataDir: string | undefined): Promise<void> {
  if (job === 'drain' && dataDir !== undefined) await drain(dataDir);
  if (job === 'spool') await spool();
}

async function drain(dataDir: string): Promise<void> {
  const target = findTarget(dataDir, hookEnvironment());
  if (target === null) return;
  const { delivered, forgotten, quarantined, end } = await drainSpool({
    dataDir,
    target,
    untilMs: elapsedMs() + DRAIN_MS,
  });
  if (delivered > 0) note(dataDir, { event: '-', what: 'drained', count: delivered });
  if (forgotten > 0) note(dataDir, { event: '-', what: 'forgotten', count: forgotten });
  if (quarantined > 0) note(dataDir, { event: '-', what: 'quarantined', count: quarantined });
  if (end.kind === 'stopped') note(dataDir, { event: '-', what: 'drain-stopped', detail: end.reason });
}

async function spool(): Promise<void> {
  const input = await readInput(INPUT_BYTES + ORDER_BYTES);
  if (input.kind !== 'bytes') return;
  const end = input.bytes.indexOf(LINE_BREAK);
  const order = readOrder(input.bytes.toString('utf8', 0, end));
  const body = parseBody([input.bytes.subarray(end + 1)]);
  if (order === null || body === null) return;
  const facts =
    order.factsOf === null ? {} : await projectFacts(order.factsOf, order.dataDir, hookUser(), GIT_TIMEOUT_MS);
  // Fields of the host take precedence, as in a request.
  const event = { ...order, body: { ...facts, ...body } };
  const result = appendToSpool(order.dataDir, event, hookEnvironment().spoolMaxBytes);
  if (result.kind === 'spooled') await result.synced;
  note(order.dataDir, {
    event: order.event,
    what: result.kind === 'spooled' ? 'spooled' : 'not-spooled',
    detail: result.kind === 'unwritable' ? result.reason : result.kind,
  });
}

function readOrder(text: string): SpoolOrder | null {
  const fields: Partial<Record<keyof SpoolOrder, unknown>> = { ...parseBody([Buffer.from(text)]) };
  const { dataDir, server, session, delivery, event, host, namespace, factsOf } = fields;
  return typeof dataDir === 'string' &&
    typeof server === 'string' &&
    typeof session === 'string' &&
    typeof delivery === 'string' &&
    typeof event === 'string' &&
    typeof host === 'string' &&
    typeof namespace === 'string' &&
    (factsOf === null || typeof factsOf === 'string')
    ? { dataDir, server, session, delivery, event, host, namespace, factsOf }
    : null;
}
