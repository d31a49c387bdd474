import type { RowId, SessionId, TenantId, UserId } from '../ids.ts';
import type { DataClass } from '../data-classes.ts';

/** The event types of the host-neutral contract (`POST /events`). */
export const EVENT_TYPES = [
  'session.started',
  'prompt',
  'observation',
  'turn.ended',
  'session.ended',
  'boundary',
] as const;

export const PROMPT_TYPES = ['user', 'assistant', 'system', 'tool'] as const;
export type PromptType = (typeof PROMPT_TYPES)[number];

export const OBSERVATION_TYPES = ['tool_result', 'error', 'warning', 'info'] as const;
export type ObservationType = (typeof OBSERVATION_TYPES)[number];

export const BOUNDARY_KINDS = [
  'session_start',
  'turn_end',
  'compaction',
  'subagent_start',
  'subagent_stop',
  'session_end',
  'other',
] as const;
export type BoundaryKind = (typeof BOUNDARY_KINDS)[number];

/** How an event arrived. Late sources (spool, transcript) are distinguished from live ones. */
export const CAPTURE_SOURCES = ['hook', 'event', 'spool', 'transcript', 'import'] as const;
export type CaptureSource = (typeof CAPTURE_SOURCES)[number];

/** The owner of an event: taken from the API key, never from the event. */
export interface EventOwner {
  readonly tenantId: TenantId;
  readonly userId: UserId;
}

/** Where a session works, as the host reports it. Everything but the remote is only a hint. */
export interface ProjectHint {
  readonly remote?: string | undefined;
  readonly path?: string | undefined;
  readonly name?: string | undefined;
  readonly machineId?: string | undefined;
  /** Id of the root commit: identifies a repository without a remote after its folder was moved. */
  readonly repository?: string | undefined;
}

export interface Agent {
  readonly id: string | null;
  readonly type: string | null;
}

/** One part of an event before redaction and cutting into rows. An event may have several (a stop: last message, then the turn's end). */
export type EventPart =
  | {
      readonly kind: 'prompt';
      readonly type: PromptType;
      readonly content: string;
      readonly extra?: Readonly<Record<string, unknown>> | undefined;
    }
  | {
      readonly kind: 'tool';
      readonly event: string;
      readonly name: string;
      readonly input: unknown;
      readonly response: unknown;
      readonly error: string | null;
      readonly durationMs: number | null;
      readonly importance: number | null;
      readonly tags: readonly string[];
      /** Other fields of this call from the host; stored as metadata of the row. */
      readonly extra?: Readonly<Record<string, unknown>> | null;
    }
  | {
      readonly kind: 'note';
      readonly event: string;
      readonly type: ObservationType;
      readonly title: string;
      /** Text, or fields that are redacted one by one and stored as JSON. */
      readonly content: string | Readonly<Record<string, unknown>>;
      readonly importance: number | null;
      readonly tags: readonly string[];
      readonly extra?: Readonly<Record<string, unknown>> | null;
    }
  | {
      readonly kind: 'boundary';
      readonly boundary: BoundaryKind;
      readonly reason: string | null;
      readonly extra?: Readonly<Record<string, unknown>> | undefined;
    };

/** A translated event of any host: the common form of hooks and the neutral contract. */
export interface HostEvent {
  readonly host: string;
  readonly source: CaptureSource;
  readonly externalId: string;
  readonly namespace: string;
  readonly infer: boolean;
  readonly project: ProjectHint | null;
  /** De-duplication key; null: derived from the content. */
  readonly key: string | null;
  /** RFC 3339; null: the time of receipt. */
  readonly occurredAt: string | null;
  readonly agent: Agent;
  readonly model: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly parts: readonly EventPart[];
}

/** Number of redacted pieces by kind; null if there are none. */
export type Redactions = Readonly<Record<string, number>> | null;

interface RowBase {
  readonly id: RowId;
  /** Estimate: UTF-8 bytes ÷ 4. The index step replaces it with a count. */
  readonly tokens: number;
  /** The highest class that redaction found, removed values included. */
  readonly data_class: DataClass;
  readonly occurred_at: string;
}

export interface PromptRow extends RowBase {
  readonly kind: 'prompt';
  readonly type: PromptType;
  readonly content: string;
  readonly sha256: string;
  readonly agent_id: string | null;
  readonly agent_type: string | null;
  readonly redactions: Redactions;
  /** Absent if the host sent no unknown fields. */
  readonly metadata?: unknown;
}

export interface ObservationRow extends RowBase {
  readonly kind: 'observation';
  readonly type: ObservationType;
  readonly event: string;
  readonly tool: string | null;
  readonly title: string;
  readonly content: string;
  readonly preview: string;
  readonly input: unknown;
  readonly importance: number;
  readonly tags: readonly string[];
  readonly files_read: readonly string[];
  readonly files_modified: readonly string[];
  readonly agent_id: string | null;
  readonly agent_type: string | null;
  readonly duration_ms: number | null;
  readonly redactions: Redactions;
  readonly metadata: unknown;
}

export interface BoundaryRow {
  readonly kind: 'boundary';
  readonly id: RowId;
  readonly boundary: BoundaryKind;
  readonly reason: string | null;
  readonly agent_id: string | null;
  readonly agent_type: string | null;
  /** Absent if the host sent no unknown fields. */
  readonly metadata?: unknown;
  readonly occurred_at: string;
}

export type CaptureRow = PromptRow | ObservationRow | BoundaryRow;

/** An event ready for the database; row fields have the names that `capture_events` reads (prisma/sql/functions/capture_events.sql). */
export interface CaptureEvent {
  readonly tenant_id: TenantId;
  readonly user_id: UserId;
  readonly host: string;
  readonly source: CaptureSource;
  readonly external_id: string;
  readonly namespace: string;
  readonly infer: boolean;
  readonly project: {
    readonly aliases: readonly string[];
    readonly name: string;
    readonly remote: string | null;
  } | null;
  readonly key: string | null;
  /** Hex SHA-256 of the event's content. */
  readonly hash: string;
  readonly received_at: string;
  readonly model: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly rows: readonly CaptureRow[];
}

export type CaptureStatus = 'accepted' | 'duplicate' | 'rejected';

/** Why an event is not stored: its session was deleted, its content was forgotten, its session is not captured, or its folder is excluded. */
export const REJECT_REASONS = ['deleted', 'forgotten', 'capture_off', 'excluded'] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

export interface CaptureOutcome {
  readonly status: CaptureStatus;
  /** First row of the event; for a duplicate, of the earlier event. */
  readonly rowId: RowId | null;
  readonly seq: number | null;
  readonly sessionId: SessionId;
  /** Set for rejected events only. */
  readonly reason: RejectReason | null;
}
