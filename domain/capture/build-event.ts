import { hash } from 'node:crypto';
import { newId } from '../ids.ts';
import { Redactor } from '../redaction/redact.ts';
import type { RedactionOptions, FullValue } from '../redaction/redact.ts';
import type { CaptureEvent, CaptureRow, EventOwner, EventPart, HostEvent } from './event.ts';
import { boundedExtra } from './hosts/mapping.ts';
import { projectIdentity } from './project-identity.ts';
import { renderToolCall } from './tool-text.ts';
import { estimateTokens, indexable, wellFormed } from './well-formed.ts';

const PREVIEW_CHARS = 200;
const TITLE_CHARS = 200;
const DEFAULT_IMPORTANCE = { tool: 0.4, error: 0.7, note: 0.5 } as const;

/** Returns the hex SHA-256 by which a prompt's row is identified. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

/** Returns the start of a text on one line, cut at a word. */
export function previewOf(text: string): string {
  const line = text
    .slice(0, PREVIEW_CHARS * 2)
    .toWellFormed()
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (line.length <= PREVIEW_CHARS) return line;
  const cut = line.slice(0, PREVIEW_CHARS - 1);
  const space = cut.lastIndexOf(' ');
  return `${(space > PREVIEW_CHARS / 2 ? cut.slice(0, space) : cut).toWellFormed()}…`;
}

function storable(name: string | null): string | null {
  return name === null ? null : wellFormed(name);
}

/** Returns a host's unknown fields, redacted and bounded. Must run before the row's redactions are counted. */
function rowMetadata(extra: Readonly<Record<string, unknown>> | null | undefined, redactor: Redactor): unknown {
  if (extra === null || extra === undefined) return null;
  const redacted = redactor.json(extra);
  return redacted !== null && typeof redacted === 'object' ? boundedExtra({ ...redacted }) : null;
}

/** Returns no field for rows without extra fields, so that their size and hash do not change. */
function metadataField(extra: Readonly<Record<string, unknown>> | undefined, redactor: Redactor) {
  return extra === undefined ? {} : { metadata: rowMetadata(extra, redactor) };
}

export interface CaptureOptions {
  /** Classes of personal data to remove, as for the Redactor; default: `restricted`. */
  readonly removeClasses?: RedactionOptions['removeClasses'] | undefined;
  /** Receives the redacted full values of truncated texts, whose hashes the rows contain. Without it full values are dropped. */
  readonly fullValues?: FullValue[] | undefined;
}

function createRedactor(options: CaptureOptions): Redactor {
  return new Redactor({ removeClasses: options.removeClasses, storeFullValue: options.fullValues !== undefined });
}

function buildRow(part: EventPart, event: HostEvent, occurredAt: string, redactor: Redactor): CaptureRow {
  const agent = { agent_id: storable(event.agent.id), agent_type: storable(event.agent.type) };
  switch (part.kind) {
    case 'boundary':
      return {
        kind: 'boundary',
        id: newId(),
        boundary: part.boundary,
        reason: part.reason === null ? null : redactor.text(part.reason),
        ...agent,
        ...metadataField(part.extra, redactor),
        occurred_at: occurredAt,
      };
    case 'prompt': {
      const content = redactor.text(part.content);
      return {
        kind: 'prompt',
        id: newId(),
        type: part.type,
        content,
        sha256: sha256Hex(content),
        ...agent,
        tokens: estimateTokens(content),
        ...metadataField(part.extra, redactor),
        redactions: redactor.counts,
        data_class: redactor.dataClass,
        occurred_at: occurredAt,
      };
    }
    case 'tool': {
      // Rendered in full and then cut once: the note states the full size.
      const input = redactor.cleanJson(part.input);
      const error = part.error === null ? null : redactor.cleanText(part.error);
      const tool = redactor.text(part.name);
      const text = renderToolCall(tool, input, redactor.cleanJson(part.response), error);
      const content = redactor.cut(text.content);
      return {
        kind: 'observation',
        id: newId(),
        type: error === null ? 'tool_result' : 'error',
        event: part.event,
        tool,
        title: text.title,
        content,
        preview: previewOf(content),
        input: redactor.cutJson(input) ?? null,
        importance: part.importance ?? (error === null ? DEFAULT_IMPORTANCE.tool : DEFAULT_IMPORTANCE.error),
        tags: part.tags.map((tag) => redactor.text(tag)),
        files_read: text.filesRead.map((file) => redactor.cut(file)),
        files_modified: text.filesModified.map((file) => redactor.cut(file)),
        ...agent,
        tokens: estimateTokens(content),
        duration_ms: part.durationMs,
        metadata: rowMetadata(part.extra, redactor),
        redactions: redactor.counts,
        data_class: redactor.dataClass,
        occurred_at: occurredAt,
      };
    }
    case 'note': {
      const content =
        typeof part.content === 'string'
          ? redactor.text(part.content)
          : redactor.cut(JSON.stringify(redactor.cleanJson(part.content)));
      return {
        kind: 'observation',
        id: newId(),
        type: part.type,
        event: part.event,
        tool: null,
        title: redactor.text(part.title).slice(0, TITLE_CHARS).toWellFormed(),
        content,
        preview: previewOf(content),
        input: null,
        importance: part.importance ?? DEFAULT_IMPORTANCE.note,
        tags: part.tags.map((tag) => redactor.text(tag)),
        files_read: [],
        files_modified: [],
        ...agent,
        tokens: estimateTokens(content),
        duration_ms: null,
        metadata: rowMetadata(part.extra, redactor),
        redactions: redactor.counts,
        data_class: redactor.dataClass,
        occurred_at: occurredAt,
      };
    }
  }
}

/** Identifies an event without a key: its content, and its own time if it has one. */
function contentHash(event: HostEvent, rows: readonly CaptureRow[]): string {
  const identity = rows.map((row) => ({
    ...row,
    id: undefined,
    data_class: undefined,
    occurred_at: event.occurredAt ?? undefined,
  }));
  return sha256Hex(JSON.stringify(identity));
}

/** How far a client's clock may be ahead. */
export const CLOCK_SKEW_MS = 300_000;

/** Returns when an event occurred: as the host states, but not after it was received, or it would be the newest of all for years. */
function occurrenceOf(stated: string | null, receivedAt: Date): string {
  return stated === null || Date.parse(stated) > receivedAt.getTime() + CLOCK_SKEW_MS
    ? receivedAt.toISOString()
    : stated;
}

/** Returns an event ready to be stored: redacted, well-formed, cut, rendered and hashed. Contains nothing that was removed. */
export function buildCaptureEvent(
  event: HostEvent,
  owner: EventOwner,
  receivedAt: Date,
  options: CaptureOptions = {},
): CaptureEvent {
  const received = receivedAt.toISOString();
  const rows = event.parts.map((part) => {
    const redactor = createRedactor(options);
    const row = buildRow(part, event, occurrenceOf(event.occurredAt, receivedAt), redactor);
    options.fullValues?.push(...redactor.fullValues);
    return row;
  });
  const described = createRedactor({ ...options, fullValues: undefined });
  const metadata = event.metadata === null ? null : described.json(event.metadata);
  const project = projectIdentity(event.project);
  return {
    tenant_id: owner.tenantId,
    user_id: owner.userId,
    host: event.host,
    source: event.source,
    external_id: wellFormed(event.externalId),
    namespace: wellFormed(event.namespace),
    infer: event.infer,
    project:
      project === null
        ? null
        : {
            ...project,
            aliases: project.aliases.map((alias) => indexable(wellFormed(alias))),
            name: described.text(project.name),
            remote: storable(project.remote),
          },
    key: event.key === null ? null : indexable(wellFormed(event.key)),
    hash: contentHash(event, rows),
    received_at: received,
    model: storable(event.model),
    metadata: metadata !== null && typeof metadata === 'object' ? { ...metadata } : null,
    rows,
  };
}

/** Returns true if the event ends something; its session's workflow then gets a hint at once. */
export function isBoundary(event: CaptureEvent): boolean {
  return event.rows.some((row) => row.kind === 'boundary' || row.kind === 'prompt');
}
