import type { HookPayload } from '../capture/hook-payload.ts';

/** An event of a transcript, as the hook that the host should have sent. */
export interface TranscriptItem {
  readonly kind: 'start' | 'user' | 'words' | 'tool' | 'compaction' | 'agent_start' | 'agent_stop';
  /** Of the completing line. */
  readonly uuid: string;
  /** Start of that line: lines before the counted offset were counted when first read. */
  readonly offset: number;
  /** The host's id of the session. */
  readonly session: string;
  /** RFC 3339; null if no line so far had a time. */
  readonly at: string | null;
  /** De-duplication key. */
  readonly key: string;
  readonly hook: string;
  readonly payload: HookPayload;
  /** Other texts that a host may send for the same message. */
  readonly alternatives: readonly string[];
  /** Null for the session's own agent. */
  readonly agentId: string | null;
  /** The id was derived from the chain of lines: hooks use another one. */
  readonly agentGuessed: boolean;
  /** The prompt of its turn. A turn whose prompt belongs to another session is a copy. */
  readonly turn: string | null;
}

/** Key of lines without their own. */
export function lineKey(uuid: string): string {
  return `transcript:${uuid}`;
}

/** Key of a tool call, equal to that of its hook. */
export function toolKey(useId: string): string {
  return `tool:${useId}`;
}
