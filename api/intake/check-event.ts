import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import { EVENT_TYPES, OBSERVATION_TYPES } from '../../domain/capture/event.ts';
import type { EventPart, HostEvent, RejectReason } from '../../domain/capture/event.ts';
import { isOwnTool } from '../../domain/capture/own-tools.ts';
import { toApiError } from '../errors.ts';
import type { ErrorCode, ErrorDetail } from '../errors.ts';
import { EVENT_BYTES } from '../http/body.ts';
import { DELIVERY_HEADER, eventSchema, IDEMPOTENCY_HEADER } from '../../contract/events.ts';
import type { itemSchema, NeutralEvent } from '../../contract/events.ts';
import type { CommitResult } from '../../stores/postgres/capture/isolate-faulty.ts';

/** The id that the sender gave this delivery; null for none. */
export function deliveryOf(headers: IncomingHttpHeaders): string | null {
  const given = headers[DELIVERY_HEADER] ?? headers[IDEMPOTENCY_HEADER];
  return typeof given === 'string' ? given : null;
}

/** An event without a key of its own is known by its delivery and its place in it. */
export function keyedByDelivery(event: HostEvent, delivery: string | null, index: number): HostEvent {
  return event.key !== null || delivery === null ? event : { ...event, key: `delivery:${delivery}:${index}` };
}

export type CaptureItem = z.output<typeof itemSchema>;

/** An event that may be stored, or why not. */
export type CheckedEvent =
  | { readonly event: HostEvent }
  | { readonly code: ErrorCode; readonly message: string; readonly details: readonly ErrorDetail[] };

function isKnownType(value: unknown): boolean {
  const type = value !== null && typeof value === 'object' && 'type' in value ? value.type : undefined;
  return EVENT_TYPES.some((known) => known === type);
}

/** Bytes of a value as JSON; null where it is nested too deeply to be written (thousands of levels). */
function jsonBytes(value: unknown): number | null {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '', 'utf8');
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const OWN_CALL: CheckedEvent = {
  code: 'EVENT_NOT_STORABLE',
  message: 'results of Recollect’s own tools are not captured',
  details: [{ field: 'tool.name', message: 'is a tool of this memory' }],
};

function isOwnCall(event: NeutralEvent): boolean {
  if (event.type !== 'observation' || event.tool === undefined) return false;
  const { name, response, input } = event.tool;
  return isOwnTool(name, response, input);
}

function partOf(event: NeutralEvent): EventPart {
  switch (event.type) {
    case 'session.started':
      return { kind: 'boundary', boundary: 'session_start', reason: null };
    case 'prompt':
      return { kind: 'prompt', type: event.role, content: event.content };
    case 'turn.ended':
      return { kind: 'boundary', boundary: 'turn_end', reason: event.reason ?? null };
    case 'session.ended':
      return { kind: 'boundary', boundary: 'session_end', reason: event.reason ?? null };
    case 'boundary':
      return { kind: 'boundary', boundary: 'other', reason: event.reason ?? null };
    case 'observation': {
      const shared = { event: 'observation', importance: event.importance ?? null, tags: event.tags };
      if (event.tool === undefined) {
        const type = OBSERVATION_TYPES.find((known) => known === event.level) ?? 'info';
        return { kind: 'note', ...shared, type, title: '', content: event.text ?? '' };
      }
      const { name, input, response, error, duration_ms: durationMs } = event.tool;
      return {
        kind: 'tool',
        ...shared,
        name,
        input: input ?? null,
        response: response ?? event.text ?? null,
        error: error ?? null,
        durationMs: durationMs ?? null,
      };
    }
  }
}

/** A checked event in the form that hooks are translated into, too. */
export function toHostEvent(event: NeutralEvent): HostEvent {
  const toolUseId = event.type === 'observation' ? event.tool?.use_id : undefined;
  return {
    host: event.host,
    externalId: event.session_id,
    source: 'event',
    namespace: event.namespace,
    infer: event.infer,
    project:
      event.project === undefined
        ? null
        : {
            remote: event.project.remote,
            path: event.project.path,
            name: event.project.name,
            machineId: event.project.machine_id,
          },
    key: event.key ?? (toolUseId === undefined ? null : `tool:${toolUseId}`),
    occurredAt: event.occurred_at ?? null,
    agent: { id: event.agent?.id ?? null, type: event.agent?.type ?? null },
    model: event.type === 'session.started' ? (event.model ?? null) : null,
    metadata: null,
    parts: [partOf(event)],
  };
}

/** Checks one event of a body. `bytes`: its size as sent, where that is known. */
export function checkEvent(value: unknown, bytes: number | null): CheckedEvent {
  const size = bytes ?? jsonBytes(value);
  if (size === null)
    return { code: 'VALIDATION_FAILED', message: 'an event must not be nested so deeply', details: [] };
  if (size > EVENT_BYTES)
    return { code: 'EVENT_TOO_LARGE', message: `an event must not exceed ${EVENT_BYTES} bytes`, details: [] };
  if (!isKnownType(value)) {
    const message = `must be one of ${EVENT_TYPES.join(', ')}`;
    return { code: 'UNKNOWN_EVENT_TYPE', message: `type ${message}`, details: [{ field: 'type', message }] };
  }
  const parsed = eventSchema.safeParse(value);
  if (parsed.success) return isOwnCall(parsed.data) ? OWN_CALL : { event: toHostEvent(parsed.data) };
  const details = parsed.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
  return {
    code: 'VALIDATION_FAILED',
    message: details.map((detail) => `${detail.field}: ${detail.message}`).join('; '),
    details,
  };
}

/** Codes and messages by reason of rejection. */
const REJECTED = {
  deleted: ['SESSION_DELETED', 'the session was deleted'],
  forgotten: ['EVENT_FORGOTTEN', 'the content of the event was forgotten'],
  capture_off: ['CAPTURE_DISABLED', 'the session is not captured'],
  excluded: ['FOLDER_EXCLUDED', 'the folder of the event is excluded from capture'],
} as const satisfies Record<RejectReason, readonly [ErrorCode, string]>;

/** Why an event that was given to the store is not stored. */
export function rejectionOf(result: CommitResult | undefined): { code: ErrorCode; message: string } {
  if (result === undefined || result.status === 'refused')
    return { code: 'EVENT_NOT_STORABLE', message: 'the store cannot store this event' };
  if (result.status === 'failed') {
    const { code, message } = toApiError(result.error);
    return { code, message };
  }
  const [code, message] = REJECTED[result.reason ?? 'deleted'];
  return { code, message };
}

/** Returns the response item of an event that was passed to the store. */
export function itemOf(index: number, result: CommitResult | undefined): CaptureItem {
  if (result?.status === 'accepted' || result?.status === 'duplicate')
    return { index, status: result.status, id: result.rowId, code: null, message: null };
  return { index, status: 'rejected', id: null, ...rejectionOf(result) };
}
