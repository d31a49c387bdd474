import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { HOST_MAPPINGS } from '../../../../api/intake/host-mappings.ts';
import { buildCaptureEvent } from '../../../../domain/capture/build-event.ts';
import type { HookPayload } from '../../../../domain/capture/hook-payload.ts';
import type { CaptureRow, HostEvent } from '../../../../domain/capture/event.ts';
import { translateMapped, withSessionId } from '../../../../domain/capture/hosts/translate-mapped.ts';
import { newId } from '../../../../domain/ids.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../fixtures/host-payloads');

export type MappedHost = keyof typeof HOST_MAPPINGS;

/** Names of the payloads of a host, as it documents them. */
export function payloadNames(host: MappedHost): string[] {
  return readdirSync(path.join(FOLDER, host))
    .map((file) => path.basename(file, '.json'))
    .sort();
}

/** Returns the event of a payload: a field of it, else the name of the file, in which opencode's plugin sends it. */
function eventOf(body: Record<string, unknown>, name: string): string {
  const named = ['hook_event_name', 'type', 'agent_action_name', 'hookName'].map((field) => body[field]);
  return z.string().parse(named.find((value) => value !== undefined) ?? name.split('.')[0]?.replaceAll('-', '_'));
}

/** A payload as the host sends it, and the event that it is. */
export function payload(host: MappedHost, name: string): { event: string; body: Record<string, unknown> } {
  const body = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(readFileSync(path.join(FOLDER, host, `${name}.json`), 'utf8')));
  return { event: eventOf(body, name), body };
}

/** Translates a payload with changed fields. */
export function translated(host: MappedHost, name: string, fields: Record<string, unknown> = {}): HostEvent | null {
  const { event, body } = payload(host, name);
  const mapping = HOST_MAPPINGS[host];
  const known = withSessionId(mapping, { ...body, ...fields });
  const checked: HookPayload = { ...known, session_id: z.string().parse(Reflect.get(known, 'session_id')) };
  return translateMapped(mapping, event, checked, null);
}

/** Returns the rows of a payload with changed fields. @throws Error for one that translates to nothing */
export function rowsOf(host: MappedHost, name: string, fields?: Record<string, unknown>): readonly CaptureRow[] {
  const event = translated(host, name, fields);
  if (event === null) throw new Error(`${name} has no event`);
  return buildCaptureEvent(event, { tenantId: newId(), userId: newId() }, new Date()).rows;
}

/** A boundary part; `extra` only if the host sends unknown fields. */
export function boundary(kind: string, reason: string | null, extra?: unknown): object {
  return { kind: 'boundary', boundary: kind, reason, ...(extra === undefined ? {} : { extra }) };
}

/** A prompt as a part of an event. */
export function prompt(type: string, content: string, extra?: unknown): object {
  return { kind: 'prompt', type, content, extra };
}
