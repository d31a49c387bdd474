import { toHostEvent, keyedByDelivery } from '../../../api/intake/check-event.ts';
import { eventSchema } from '../../../contract/events.ts';
import { buildCaptureEvent } from '../../../domain/capture/build-event.ts';
import { translateHook } from '../../../domain/capture/claude-code-hooks.ts';
import { NAME_SEPARATOR } from '../../../domain/capture/well-formed.ts';
import type { EventOwner, HostEvent } from '../../../domain/capture/event.ts';
import { newId } from '../../../domain/ids.ts';
import type { RecordedHook } from '../../setup/demo-session.ts';

/** The database row that an accepted event must become. */
export interface ExpectedRow {
  readonly key: string;
  readonly kind: string;
  readonly content: string;
}

/** One request of a client, sent with one delivery id until it is accepted. */
export interface Delivery {
  readonly path: string;
  readonly deliveryId: string;
  readonly body: unknown;
  /** The rows it becomes; empty if nothing is to be stored. */
  readonly rows: readonly ExpectedRow[];
}

/** A session as one client sends it, in order. */
export interface SessionScript {
  readonly host: string;
  readonly externalId: string;
  readonly deliveries: readonly Delivery[];
}

/** Any owner: the rows do not depend on it. */
const OWNER: EventOwner = { tenantId: newId(), userId: newId() };

/** Returns the rows of an event, built by the steps of a capture. */
export function rowsOf(event: HostEvent | null): ExpectedRow[] {
  if (event === null) return [];
  const built = buildCaptureEvent(event, OWNER, new Date(0));
  return built.rows.map((row, index) => ({
    key: `${built.key ?? ''}${index === 0 ? '' : `${NAME_SEPARATOR}${index + 1}`}`,
    kind: row.kind,
    content: row.kind === 'boundary' ? row.boundary : row.content,
  }));
}

/** Returns recorded hooks as those of another session, for `POST /hooks/{event}`. */
export function asHooks(externalId: string, hooks: readonly RecordedHook[]): SessionScript {
  const deliveries = hooks.map((hook, index) => {
    const deliveryId = `${externalId}-${index}`;
    const toolUseId = hook['tool_use_id'];
    const body = {
      ...hook,
      session_id: externalId,
      // The id alone identifies a tool call: a repeated one would be a duplicate.
      ...(typeof toolUseId === 'string' ? { tool_use_id: `${externalId}-${toolUseId}` } : {}),
    };
    const rows = rowsOf(translateHook(hook.hook_event_name, body, deliveryId));
    return { path: `/hooks/${hook.hook_event_name}`, deliveryId, body, rows };
  });
  return { host: 'claude-code', externalId, deliveries };
}

const EVENTS_HOST = 'faults-agent';

/** Returns the events of a hook in the neutral contract: none, one or two. */
function neutralEvents(hook: RecordedHook): Record<string, unknown>[] {
  const reply = hook['last_assistant_message'];
  switch (hook.hook_event_name) {
    case 'SessionStart':
      return [{ type: 'session.started' }];
    case 'UserPromptSubmit':
      return [{ type: 'prompt', role: 'user', content: hook['prompt'] }];
    case 'PostToolUse':
      return [
        {
          type: 'observation',
          tool: { name: hook['tool_name'], input: hook['tool_input'], response: hook['tool_response'] },
        },
      ];
    case 'Stop':
      return [
        ...(typeof reply === 'string' && reply !== '' ? [{ type: 'prompt', role: 'assistant', content: reply }] : []),
        { type: 'turn.ended' },
      ];
    case 'SessionEnd':
      return [{ type: 'session.ended' }];
    default:
      return [];
  }
}

/** Returns the same session as another host's events, for `POST /events`, whose responses name the row of each event. */
export function asEvents(externalId: string, hooks: readonly RecordedHook[]): SessionScript {
  const events = hooks.flatMap((hook) =>
    neutralEvents(hook).map((event) => ({
      ...event,
      host: EVENTS_HOST,
      session_id: externalId,
      project: { path: hook['cwd'] },
    })),
  );
  const deliveries = events.map((body, index) => {
    const deliveryId = `${externalId}-${index}`;
    const event = toHostEvent(eventSchema.parse(body));
    return { path: '/events', deliveryId, body, rows: rowsOf(keyedByDelivery(event, deliveryId, 0)) };
  });
  return { host: EVENTS_HOST, externalId, deliveries };
}
