import { parentPort } from 'node:worker_threads';
import type { HostEvent } from '../../domain/capture/event.ts';
import { ApiError, toApiError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { buildIncoming } from './build-incoming.ts';
import type { BuiltEvent } from './build-incoming.ts';
import type { HookOutline, ThreadAnswer, ThreadRequest } from './heavy-events.ts';
import { hookBody, readHook, withKnownSession } from './read-hook.ts';

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

function answer(request: ThreadRequest): HookOutline | BuiltEvent | null {
  if (request.kind === 'hook') return readBody(request);
  if (request.kind === 'forget') {
    current = null;
    return null;
  }
  const event = request.event ?? current;
  if (event === null) throw new Error('there is no event to build');
  return buildIncoming(event, request.options);
}

parentPort?.on('message', (request: ThreadRequest) => {
  let result: ThreadAnswer;
  try {
    result = { value: answer(request) };
  } catch (error) {
    const { code, message, details } = toApiError(error);
    result = { refused: { code, message, details } };
  }
  const wholes = 'value' in result && result.value !== null && 'wholes' in result.value ? result.value.wholes : [];
  parentPort?.postMessage(
    result,
    wholes.flatMap(({ bytes: { buffer } }) => (buffer instanceof ArrayBuffer ? [buffer] : [])),
  );
});
