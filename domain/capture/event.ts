import type { RowId, SessionId, TenantId, UserId } from '../ids.ts';
import type { DataClass } from '../redaction/data-class.ts';

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

/** Which way an event came in. What comes late (a spool, a transcript) is told from what came as it happened. */
export const CAPTURE_SOURCES = ['hook', 'event', 'spool', 'transcript', 'import'] as const;
export type CaptureSource = (typeof CAPTURE_SOURCES)[number];

/** Who captures: taken from the API key, never from the event. */
export interface EventOwner {
  readonly tenantId: TenantId;
  readonly userId: UserId;
}

/** Where a session works, as the host tells it. All of it is a hint except the remote. */
export interface ProjectHint {
  readonly remote?: string | undefined;
  readonly path?: string | undefined;
  readonly name?: string | undefined;
  readonly machineId?: string | undefined;
  /** Id of the root commit: knows a repository without a remote again after its folder was moved. */
  readonly repository?: string | undefined;
}

export interface Agent {
  readonly id: string | null;
  readonly type: string | null;
}

/** What one event says, before it is redacted and cut into rows. One event may say several things (a stop: words, then a turn's end). */
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
      /** What else the host sent of this call; kept as metadata of the row. */
      readonly extra?: Readonly<Record<string, unknown>> | null;
    }
  | {
      readonly kind: 'note';
      readonly event: string;
      readonly type: ObservationType;
      readonly title: string;
      /** Text, or fields that are kept as JSON after each was redacted. */
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

/** An event of any host, translated: what hooks and the neutral contract have in common. */
export interface HostEvent {
  readonly host: string;
  readonly source: CaptureSource;
  readonly externalId: string;
  readonly namespace: string;
  readonly infer: boolean;
  readonly project: ProjectHint | null;
  /** De-duplication key; null: the content decides. */
  readonly key: string | null;
  /** RFC 3339; null: the time of receipt. */
  readonly occurredAt: string | null;
  readonly agent: Agent;
  readonly model: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly parts: readonly EventPart[];
}

/** How many pieces of each kind redaction took out of a text; null where it found none. */
export type Redactions = Readonly<Record<string, number>> | null;

interface RowBase {
  readonly id: RowId;
  /** Estimate: UTF-8 bytes ÷ 4. The index step replaces it by a count. */
  readonly tokens: number;
  /** The highest class of what redaction found, what it removed included. */
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
  /** Not there where the host sent nothing beside what is known. */
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
  /** Not there where the host sent nothing beside what is known. */
  readonly metadata?: unknown;
  readonly occurred_at: string;
}

export type CaptureRow = PromptRow | ObservationRow | BoundaryRow;

/** An event ready for the database; field names of rows are those that `capture_events` reads (prisma/sql/functions/capture_events.sql). */
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
  /** Hex SHA-256 of what the event says. */
  readonly hash: string;
  readonly received_at: string;
  readonly model: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly rows: readonly CaptureRow[];
}

export type CaptureStatus = 'accepted' | 'duplicate' | 'rejected';

/** Why an event is not stored: its session was deleted, what it says was forgotten, its session is not captured, or its folder is excluded. */
export const REJECT_REASONS = ['deleted', 'forgotten', 'capture_off', 'excluded'] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

export interface CaptureOutcome {
  readonly status: CaptureStatus;
  /** First row of the event; of the earlier one for a duplicate. */
  readonly rowId: RowId | null;
  readonly seq: number | null;
  readonly sessionId: SessionId;
  /** Of a rejected event; else null. */
  readonly reason: RejectReason | null;
}
