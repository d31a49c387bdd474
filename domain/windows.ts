/** When consecutive rows become a window, and why. Pure, so that a retry cuts the same rows again. */

export type CutReason = 'tokens' | 'turn' | 'quiet' | 'age' | 'boundary' | 'session_end' | 'idle' | 'requested';

export interface WindowPolicy {
  /** A window closes at this many tokens. */
  readonly windowTokens: number;
  /** A turn's end closes a window of at least this many tokens. */
  readonly turnTokens: number;
}

/** A stored row in order; boundaries have no tokens. */
export interface WindowRow {
  readonly seq: number;
  readonly tokens: number;
  /** Kind of boundary; null for a prompt or an observation. */
  readonly boundary: string | null;
  readonly createdAtMs: number;
}

export interface CutWindow {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly tokens: number;
  readonly reason: CutReason;
}

/** Rows without a window. */
export interface OpenRows {
  readonly fromSeq: number;
  readonly tokens: number;
  /** Number of prompts and observations. */
  readonly rows: number;
  readonly firstCreatedAtMs: number;
  readonly lastCreatedAtMs: number;
}

export interface CutResult {
  readonly windows: readonly CutWindow[];
  readonly open: OpenRows | null;
  /** The last boundary is the session's end: nothing was captured after it. */
  readonly ended: boolean;
}

/** Boundaries that always close a window. Starts of sessions and sub-agents matter only after rows. */
const CLOSING = new Set(['compaction', 'subagent_stop', 'subagent_start', 'session_start', 'other']);

/**
 * Cuts the rows after the last window into windows. `closeOpen` also closes the open rest, for that reason. Boundaries alone make no
 * window: they join the next one, or stay open if there is none.
 */
export function cutWindows(rows: readonly WindowRow[], policy: WindowPolicy, closeOpen: CutReason | null): CutResult {
  const windows: CutWindow[] = [];
  let run: WindowRow[] = [];
  let tokens = 0;
  let content = 0;
  let ended = false;
  const close = (reason: CutReason) => {
    const first = run[0];
    const last = run.at(-1);
    if (first === undefined || last === undefined || content === 0) return;
    windows.push({ fromSeq: first.seq, toSeq: last.seq, tokens, reason });
    run = [];
    tokens = 0;
    content = 0;
  };
  for (const row of rows) {
    // A row that would exceed the window's limit starts the next one, unless it fills a window by itself.
    if (content > 0 && tokens + row.tokens > policy.windowTokens) close('tokens');
    run.push(row);
    tokens += row.tokens;
    if (row.boundary === null) content += 1;
    ended = row.boundary === 'session_end';
    if (ended) close('session_end');
    else if (row.boundary === 'turn_end' && tokens >= policy.turnTokens) close('turn');
    else if (row.boundary !== null && CLOSING.has(row.boundary)) close('boundary');
    else if (tokens >= policy.windowTokens) close('tokens');
  }
  if (closeOpen !== null) close(closeOpen);
  const first = run[0];
  const last = run.at(-1);
  const open =
    first === undefined || last === undefined
      ? null
      : {
          fromSeq: first.seq,
          tokens,
          rows: content,
          firstCreatedAtMs: first.createdAtMs,
          lastCreatedAtMs: last.createdAtMs,
        };
  return { windows, open, ended };
}
