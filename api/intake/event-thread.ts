import { parentPort } from 'node:worker_threads';
import type { HostEvent } from '../../domain/capture/event.ts';
import { mapRows } from '../../domain/claude-mem/map-rows.ts';
import { readLine } from '../../domain/transcripts/line.ts';
import type { ReadLine } from '../../domain/transcripts/line.ts';
import { prepareItem } from '../../domain/transcripts/plan.ts';
import { ApiError, toApiError } from '../errors.ts';
import { redacted } from '../memories/hand-written.ts';
import { assertShape, parseJson } from '../http/json.ts';
import { buildIncoming } from './intake.ts';
import { readRows } from './claude-mem-rows.ts';
import type { HookOutline, ThreadAnswer, ThreadRequest, ThreadValues } from './heavy-events.ts';
import { hookBody } from '../../contract/events.ts';
import { readHook, withKnownSession } from './read-hook.ts';

/* Reads and builds large events beside the event loop: parsing and redacting 32 MiB takes seconds, and may exhaust a heap. */

/** The hook that was read last, until it is built or forgotten. */
let current: HostEvent | null = null;

function readBody({ bytes, delivery }: Extract<ThreadRequest, { kind: 'hook' }>): HookOutline {
  const parsed = hookBody.safeParse(withKnownSession(delivery.host, parseJson(Buffer.from(bytes))));
  if (!parsed.success)
    throw new ApiError(
      'VALIDATION_FAILED',
      'the request is not valid',
      parsed.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message })),
    );
  const { sessionId, event, question } = readHook(parsed.data, delivery);
  current = event;
  // A prompt is read up to a bound that is lower.
  const short = question?.purpose === 'prompt' ? { ...question, prompt: question.prompt.slice(0, 65_536) } : question;
  return { sessionId, question: short, event: event === null ? null : { ...event, parts: [], metadata: null } };
}

/** A line of a transcript; of one that would make too many values nothing is made. */
function readTranscriptLine(bytes: Uint8Array): ReadLine {
  try {
    assertShape(bytes);
  } catch {
    return { kind: 'skipped', reason: 'too_large' };
  }
  return readLine(bytes);
}

function answer(request: ThreadRequest): ThreadValues[keyof ThreadValues] {
  switch (request.kind) {
    case 'hook':
      return readBody(request);
    case 'forget':
      current = null;
      return null;
    case 'text':
      return redacted(request.text);
    case 'line':
      return readTranscriptLine(Buffer.from(request.bytes));
    case 'item':
      return prepareItem(request.item, request.owner, request.source);
    case 'rows':
      return mapRows(request.context, readRows(request.table, Buffer.from(request.bytes)));
    case 'build': {
      const event = request.event ?? current;
      if (event === null) throw new Error('there is no event to build');
      return buildIncoming(event, request.options);
    }
  }
}

parentPort?.on('message', (request: ThreadRequest) => {
  let result: ThreadAnswer;
  try {
    result = { value: answer(request) };
  } catch (error) {
    const { code, message, details } = toApiError(error);
    result = { refused: { code, message, details } };
  }
  const { value } = 'value' in result ? result : { value: null };
  const fullValues = typeof value === 'object' && value !== null && 'fullValues' in value ? value.fullValues : [];
  parentPort?.postMessage(
    result,
    fullValues.flatMap(({ bytes: { buffer } }) => (buffer instanceof ArrayBuffer ? [buffer] : [])),
  );
});
