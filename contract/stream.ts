import { z } from 'zod';
import { STREAM_EVENT_TYPES } from '../domain/stream.ts';
import { flag, oneOrMore } from './query.ts';
import { text } from './text.ts';

const eventId = z.string().regex(/^[0-9]{1,16}$/, 'must be the id of an event');

export const streamQuery = z.strictObject({
  type: oneOrMore(STREAM_EVENT_TYPES).optional().describe('Types of events, separated by commas; default: all'),
  project: text(2048).optional().describe('Only events of this project: id, git remote, folder or name'),
  session: text(512).optional().describe('Only events of this session: id, or host:external id'),
  last_event_id: eventId.optional().describe('As the header Last-Event-ID, for clients that cannot set it'),
  follow: flag().prefault(true).describe('false: end the response after the events until now'),
});

export const streamHeaders = z.object({
  'last-event-id': eventId
    .or(z.literal(''))
    .optional()
    .describe('Id of the last received event; the stream continues after it'),
});

/** Events of the stream itself: `ready` comes first, `reset` instead if events are missing, `beat` while nothing happens. */
export type StreamSignal = 'ready' | 'reset' | 'beat';

const envelope = { id: z.string().describe('Position in the stream') };

export const streamEventSchema = z
  .discriminatedUnion('type', [
    z.object({
      ...envelope,
      type: z.enum(STREAM_EVENT_TYPES),
      occurred_at: z.string(),
      project_id: z.string().nullable(),
      session_id: z.string().nullable(),
      subject_id: z.string().nullable().describe('Summary, learning, alert or job'),
      data: z.record(z.string(), z.unknown()).describe('Counters and states'),
    }),
    z.object({ ...envelope, type: z.literal('ready') }),
    z.object({ ...envelope, type: z.literal('reset') }),
    z.object({ ...envelope, type: z.literal('beat') }),
  ])
  .meta({ id: 'StreamEvent' });
export type StreamMessage = z.output<typeof streamEventSchema>;
