import type { z } from 'zod';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import { contextQuestion } from '../../domain/capture/context-question.ts';
import type { ContextQuestion } from '../../domain/capture/context-question.ts';
import type { HostEvent } from '../../domain/capture/event.ts';
import { readHookPayload } from '../../domain/capture/hook-payload.ts';
import { translateMapped, withSessionId } from '../../domain/capture/hosts/translate-mapped.ts';
import { HOOK_HOSTS } from '../../domain/capture/hook-hosts.ts';
import type { HookHost } from '../../domain/capture/hook-hosts.ts';
import type { hookBody } from '../../contract/events.ts';
import { HOST_MAPPINGS } from './host-mappings.ts';

/** Attributes of a hook request beside its body. */
export interface HookDelivery {
  readonly host: HookHost;
  readonly event: string;
  readonly namespace: string;
  readonly source: 'hook' | 'spool';
  readonly deliveryId: string | null;
}

export interface ReadHook {
  readonly sessionId: string;
  /** Null where the hook has nothing to store. */
  readonly event: HostEvent | null;
  readonly question: ContextQuestion | null;
}

/** The mapping of a host that is known by data; null for Claude Code, whose hooks are known by code, and for an unknown host. */
export function mappingOf(host: unknown): (typeof HOST_MAPPINGS)[Exclude<HookHost, 'claude-code'>] | null {
  const name = HOOK_HOSTS.find((known) => known === host);
  return name === undefined || name === 'claude-code' ? null : HOST_MAPPINGS[name];
}

/** The body with the session's id under the one name that it has here: hosts name it as they like. */
export function withKnownSession(host: unknown, body: unknown): unknown {
  const mapping = mappingOf(host);
  return mapping === null ? body : withSessionId(mapping, body);
}

/** Translates a validated body into an event and the query for context. */
export function readHook(body: z.output<typeof hookBody>, delivery: HookDelivery): ReadHook {
  const { host, event, namespace, source, deliveryId } = delivery;
  const mapping = mappingOf(host);
  const payload = readHookPayload(body);
  const mapped =
    mapping === null ? translateHook(event, payload, deliveryId) : translateMapped(mapping, event, payload, deliveryId);
  const translated = mapped === null ? null : { ...mapped, namespace, source };
  return {
    sessionId: payload.session_id,
    event: translated,
    question: contextQuestion(mapping, event, payload, translated),
  };
}
