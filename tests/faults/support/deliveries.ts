import { toHostEvent } from '../../../api/intake/check-event.ts';
import { eventSchema } from '../../../contract/events.ts';
import { keyedByDelivery } from '../../../api/intake/delivery.ts';
import { buildCaptureEvent } from '../../../domain/capture/build-event.ts';
import { translateHook } from '../../../domain/capture/claude-code-hooks.ts';
import { NAME_SEPARATOR } from '../../../domain/capture/well-formed.ts';
import type { EventOwner, HostEvent } from '../../../domain/capture/event.ts';
import { newId } from '../../../domain/ids.ts';
import type { RecordedHook } from '../../setup/demo-session.ts';

/** A row that an accepted event must be, as it stands in the database. */
export interface ExpectedRow {
  readonly key: string;
  readonly kind: string;
  readonly content: string;
}

/** One request of a client, sent until it is answered, under one delivery id. */
export interface Delivery {
  readonly path: string;
  readonly deliveryId: string;
  readonly body: unknown;
  /** The rows it becomes when it is accepted; none where nothing is to be stored. */
  readonly rows: readonly ExpectedRow[];
}

/** A session as one client sends it, in order. */
export interface SessionScript {
  readonly host: string;
  readonly externalId: string;
  readonly deliveries: readonly Delivery[];
}

/** Whoever it is: the rows say the same. */
const OWNER: EventOwner = { tenantId: newId(), userId: newId() };

/** What the rows of an event are, by the same steps that a capture goes through. */
export function rowsOf(event: HostEvent | null): ExpectedRow[] {
  if (event === null) return [];
  const built = buildCaptureEvent(event, OWNER, new Date(0));
  return built.rows.map((row, index) => ({
    key: `${built.key ?? ''}${index === 0 ? '' : `${NAME_SEPARATOR}${index + 1}`}`,
    kind: row.kind,
    content: row.kind === 'boundary' ? row.boundary : row.content,
  }));
}

/** Recorded hooks as the hooks of another session, through `POST /hooks/{event}`. */
export function asHooks(externalId: string, hooks: readonly RecordedHook[]): SessionScript {
  const deliveries = hooks.map((hook, index) => {
    const deliveryId = `${externalId}-${index}`;
    const toolUseId = hook['tool_use_id'];
    const body = {
      ...hook,
      session_id: externalId,
      // A tool call is known by its id alone, so a repeated one would be taken for one that is known.
      ...(typeof toolUseId === 'string' ? { tool_use_id: `${externalId}-${toolUseId}` } : {}),
    };
    const rows = rowsOf(translateHook(hook.hook_event_name, body, deliveryId));
    return { path: `/hooks/${hook.hook_event_name}`, deliveryId, body, rows };
  });
  return { host: 'claude-code', externalId, deliveries };
}

const EVENTS_HOST = 'faults-agent';

/** What the neutral contract says of a hook: none, one or two events. */
function neutralEvents(hook: RecordedHook): Record<string, unknown>[] {
  const said = hook['last_assistant_message'];
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
        ...(typeof said === 'string' && said !== '' ? [{ type: 'prompt', role: 'assistant', content: said }] : []),
        { type: 'turn.ended' },
      ];
    case 'SessionEnd':
      return [{ type: 'session.ended' }];
    default:
      return [];
  }
}

/** The same session told by an agent of another make, through `POST /events`, whose answers name the row of each event. */
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
