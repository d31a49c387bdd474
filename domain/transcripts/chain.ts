import type { ToolUse } from './line.ts';

/** Context of a line. The line that closes it may be from another folder or session. */
export interface Place {
  readonly at: string | null;
  readonly session: string;
  readonly cwd: string | undefined;
}

/** A tool call without a result yet. */
export interface OpenCall extends ToolUse, Place {
  readonly offset: number;
  /** Number of prompts in the chain at its creation. */
  readonly prompts: number;
}

/** One conversation of a transcript: the session's own, or a sub-agent's. */
export interface Chain {
  readonly agentId: string | null;
  readonly agentGuessed: boolean;
  /** Start of the current turn; null between turns. */
  turnStart: number | null;
  /** The prompt of the turn. */
  turn: string | null;
  prompts: number;
  /** Texts of the assistant since the prompt. */
  texts: string[];
  /** Texts of its last message. */
  lastTexts: string[];
  messageId: string | null;
  /** The line of its last text. */
  words: (Place & { readonly uuid: string; readonly offset: number }) | null;
  /** The turn is over unless the same message continues. */
  over: boolean;
  readonly calls: Map<string, OpenCall>;
}

export function newChain(agentId: string | null, agentGuessed: boolean): Chain {
  return {
    agentId,
    agentGuessed,
    turnStart: null,
    turn: null,
    prompts: 0,
    texts: [],
    lastTexts: [],
    messageId: null,
    words: null,
    over: false,
    calls: new Map(),
  };
}

/** Clears the ended turn; calls without a result stay open. */
export function endTurn(chain: Chain): void {
  chain.turnStart = null;
  chain.texts = [];
  chain.lastTexts = [];
  chain.messageId = null;
  chain.words = null;
  chain.over = false;
}

/** Returns the offset from which a chain must be read again; null if nothing is unfinished. */
export function unfinishedSince(chain: Chain): number | null {
  const offsets = [...chain.calls.values()].map((call) => call.offset);
  if (chain.turnStart !== null) offsets.push(chain.turnStart);
  return offsets.length === 0 ? null : Math.min(...offsets);
}
