import type { HookPayload } from '../capture/hook-payload.ts';

/** Something that a transcript tells, as the hook that the host should have sent for it. */
export interface TranscriptItem {
  readonly kind: 'start' | 'user' | 'words' | 'tool' | 'compaction' | 'agent_start' | 'agent_stop';
  /** Of the line that completed it. */
  readonly uuid: string;
  /** Where that line begins: what lies before the counted offset was counted when it was first read. */
  readonly offset: number;
  /** The host's id of the session. */
  readonly session: string;
  /** RFC 3339; null where no line before it had a time. */
  readonly at: string | null;
  /** De-duplication key. */
  readonly key: string;
  readonly hook: string;
  readonly payload: HookPayload;
  /** Other texts that a host may send for the same words. */
  readonly alternatives: readonly string[];
  /** Whose it is; null for the session's own agent. */
  readonly agentId: string | null;
  /** The id was made from the chain of lines: hooks know the agent by another one. */
  readonly agentGuessed: boolean;
  /** The prompt that began its turn. A turn whose prompt is known from another session is a copy. */
  readonly turn: string | null;
}

/** Keys of what has no key of its own. */
export function lineKey(uuid: string): string {
  return `transcript:${uuid}`;
}

/** The key that hooks of a tool call carry, too. */
export function toolKey(useId: string): string {
  return `tool:${useId}`;
}
