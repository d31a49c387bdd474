import type { ToolUse } from './line.ts';

/** Where and when something was said. What closes it may come from a line of another folder or session. */
export interface Place {
  readonly at: string | null;
  readonly session: string;
  readonly cwd: string | undefined;
}

/** A tool call whose result has not come yet. */
export interface OpenCall extends ToolUse, Place {
  readonly offset: number;
  /** How many prompts the chain had when it was made. */
  readonly prompts: number;
}

/** One conversation of a transcript: the session's own, or one of a sub-agent's. */
export interface Chain {
  readonly agentId: string | null;
  readonly agentGuessed: boolean;
  /** Where the turn that is going on begins; null between turns. */
  turnStart: number | null;
  /** The prompt of the turn. */
  turn: string | null;
  prompts: number;
  /** Texts of the assistant since the prompt. */
  texts: string[];
  /** Those of its last message. */
  lastTexts: string[];
  messageId: string | null;
  /** The line of its last words. */
  words: (Place & { readonly uuid: string; readonly offset: number }) | null;
  /** The turn is over unless the same message goes on. */
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

/** Forgets the turn that ended; calls without a result stay open. */
export function endTurn(chain: Chain): void {
  chain.turnStart = null;
  chain.texts = [];
  chain.lastTexts = [];
  chain.messageId = null;
  chain.words = null;
  chain.over = false;
}

/** From where a chain must be read again to understand what follows; null when nothing of it is unfinished. */
export function unfinishedSince(chain: Chain): number | null {
  const offsets = [...chain.calls.values()].map((call) => call.offset);
  if (chain.turnStart !== null) offsets.push(chain.turnStart);
  return offsets.length === 0 ? null : Math.min(...offsets);
}
