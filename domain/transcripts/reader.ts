import type { HookPayload } from '../capture/hook-payload.ts';
import { endTurn, newChain, unfinishedSince } from './chain.ts';
import type { Chain, OpenCall, Place } from './chain.ts';
import { noCounts } from './counts.ts';
import type { CountName } from './counts.ts';
import { lineKey, toolKey } from './items.ts';
import type { TranscriptItem } from './items.ts';
import { readLine, LINE_BYTES } from './line.ts';
import type { ReadLine, ToolResult, TranscriptLine, FileLine } from './line.ts';

export interface ReaderOptions {
  /** Session in the file's name, for lines without one. */
  readonly session: string;
  /** Sub-agent in the file's name; null for a session's own transcript. */
  readonly agentId: string | null;
  /** Reading starts at the file's first line. */
  readonly atStart: boolean;
  /** Lines before this offset were counted when first read. */
  readonly countedOffset: number;
}

/** State of the file at the end of the piece. */
export interface FileEnd {
  /** Time since the last write. */
  readonly quietMs: number;
  /** A session without writes for this time is over, unless a call is open. */
  readonly idleMs: number;
}

/** An open call is abandoned after this time: a permission may be requested in the evening and granted in the morning. */
const ABANDONED_MS = 24 * 3_600_000;
const MAX_DURATION_MS = 2_147_483_647;

/**
 * Converts a transcript's lines to the events of hooks. Tracks unfinished work (a turn, a call without a result) and returns the offset
 * from which the file must be read again for it, so that only an offset is stored between two readings.
 */
export class TranscriptReader {
  readonly items: TranscriptItem[] = [];
  readonly counts = noCounts();
  private readonly options: ReaderOptions;
  private readonly chains = new Map<string, Chain>();
  /** Root of each sidechain line without an agent. */
  private readonly roots = new Map<string, string>();
  private readonly seen = new Set<string>();
  private session: string;
  private at: string | null = null;
  private cwd: string | undefined;
  private start: Record<string, unknown> | null = null;

  constructor(options: ReaderOptions) {
    this.options = options;
    this.session = options.session;
  }

  /** Processes the next complete line, already parsed if `given`. */
  feed({ bytes, offset }: FileLine, given: ReadLine | null = null): void {
    const count = (name: CountName) => {
      if (offset >= this.options.countedOffset) this.counts[name] += 1;
    };
    if (bytes.length <= 1 && !/[^\s]/.test(Buffer.from(bytes).toString('latin1'))) return;
    count('lines');
    if (bytes.length > LINE_BYTES) return count('too_large');
    const read = given ?? readLine(bytes);
    if (read.kind === 'skipped') return count(read.reason);
    const { line } = read;
    if (this.seen.has(line.uuid)) return count('repeated');
    this.seen.add(line.uuid);
    this.session = line.session ?? this.session;
    this.at = line.at ?? this.at;
    this.cwd = line.cwd ?? this.cwd;
    this.process(line, offset);
  }

  /** Closes what the end of the file closes. Only call at its end. */
  finish({ quietMs, idleMs }: FileEnd): void {
    const abandoned = quietMs >= ABANDONED_MS;
    for (const chain of this.chains.values()) {
      if (abandoned) this.interrupt(chain, () => true);
      if (chain.calls.size === 0 && (chain.over || quietMs >= idleMs)) this.close(chain);
    }
  }

  /** Returns the offset from which unfinished work must be read again; null without any. */
  unfinishedSince(): number | null {
    const offsets = [...this.chains.values()].flatMap((chain) => unfinishedSince(chain) ?? []);
    return offsets.length === 0 ? null : Math.min(...offsets);
  }

  /** Time of the last line that has one. */
  get lastAt(): string | null {
    return this.at;
  }

  private process(line: TranscriptLine, offset: number): void {
    const { saying } = line;
    const chain = this.chainOf(line);
    const follows = saying.kind === 'assistant' && saying.messageId !== null && saying.messageId === chain.messageId;
    if (chain.over && saying.kind !== 'nothing' && !follows) this.close(chain);
    const speaks = saying.kind === 'user' || saying.kind === 'assistant';
    if (speaks && this.options.atStart && this.start === null && chain.agentId === null)
      this.started(line, chain, offset);
    switch (saying.kind) {
      case 'nothing':
        return;
      case 'turn_over':
        chain.over = chain.turnStart !== null && chain.calls.size === 0;
        return;
      case 'compaction':
        // At the start of a file a summary is the title of another session.
        if (line.at !== null || chain.prompts > 0)
          this.add('compaction', line.uuid, offset, chain, 'PreCompact', { trigger: saying.trigger });
        return;
      case 'user':
        this.begin(line, chain, saying.text, offset);
        return;
      case 'results':
        for (const result of saying.results) this.answer(result, line, chain, offset);
        return;
      case 'assistant': {
        chain.turnStart ??= offset;
        // The model is known from the first response, after the start.
        if (this.start !== null && saying.model !== null) this.start['model'] ??= saying.model;
        if (saying.texts.length > 0) {
          chain.lastTexts = follows ? [...chain.lastTexts, ...saying.texts] : [...saying.texts];
          chain.texts.push(...saying.texts);
          chain.words = { uuid: line.uuid, offset, ...this.place() };
        }
        chain.messageId = saying.messageId;
        for (const use of saying.uses)
          chain.calls.set(use.id, { ...use, offset, ...this.place(), prompts: chain.prompts });
        chain.over = saying.stopped && chain.calls.size === 0;
      }
    }
  }

  /** A prompt ends the turn before it. In a sub-agent's chain it repeats the parent's call. */
  private begin(line: TranscriptLine, chain: Chain, text: string, offset: number): void {
    this.close(chain);
    const own = chain.agentId === null;
    if (own) for (const other of this.chains.values()) if (other.agentGuessed) this.close(other);
    // Calls of the turn before the last one will get no result.
    this.interrupt(chain, (call) => call.prompts < chain.prompts);
    chain.turnStart = offset;
    chain.turn = line.uuid;
    chain.prompts += 1;
    if (own)
      this.add('user', line.uuid, offset, chain, 'UserPromptSubmit', { prompt: text }, { alternatives: [text.trim()] });
    else if (chain.prompts === 1) this.add('agent_start', `${line.uuid}:start`, offset, chain, 'SubagentStart', {});
  }

  /** Emits the session's start before its first prompt. */
  private started(line: TranscriptLine, chain: Chain, offset: number): void {
    this.start = this.add('start', `${line.uuid}:start`, offset, chain, 'SessionStart', { source: 'startup' });
  }

  private answer(result: ToolResult, line: TranscriptLine, chain: Chain, offset: number): void {
    const holder = chain.calls.has(result.useId)
      ? chain
      : ([...this.chains.values()].find((other) => other.calls.has(result.useId)) ?? chain);
    const call = holder.calls.get(result.useId);
    holder.calls.delete(result.useId);
    holder.turnStart ??= offset;
    // The hook of a failed call has no duration.
    const outcome =
      result.error === null
        ? { tool_response: result.response, ...durationOf(call?.at ?? null, this.at) }
        : { error: result.error };
    const toolCall = call ?? { id: result.useId, name: 'unknown', input: null };
    this.toolItem(toolCall, line.uuid, offset, holder, outcome, this.place());
  }

  /** Emits calls without a result as interrupted. */
  private interrupt(chain: Chain, which: (call: OpenCall) => boolean): void {
    for (const call of chain.calls.values()) {
      if (!which(call)) continue;
      chain.calls.delete(call.id);
      this.toolItem(call, call.id, call.offset, chain, { error: 'interrupted' }, call);
    }
  }

  private toolItem(
    call: Pick<OpenCall, 'id' | 'name' | 'input'>,
    uuid: string,
    offset: number,
    chain: Chain,
    fields: Record<string, unknown>,
    place: Place,
  ): void {
    this.add(
      'tool',
      uuid,
      offset,
      chain,
      'error' in fields ? 'PostToolUseFailure' : 'PostToolUse',
      { tool_name: call.name, tool_input: call.input, tool_use_id: call.id, ...fields },
      { key: toolKey(call.id), place },
    );
  }

  /** Ends a chain's turn with the assistant's last text, as in the host's stop hook. */
  private close(chain: Chain): void {
    const { words, texts, lastTexts } = chain;
    const own = chain.agentId === null;
    if (chain.turnStart !== null && (words !== null || !own)) {
      const last = lastTexts.join('\n\n');
      const all = [lastTexts.join('\n'), lastTexts.at(-1) ?? '', texts.join('\n\n'), texts.join('\n'), texts.join('')];
      this.add(
        own ? 'words' : 'agent_stop',
        words?.uuid ?? `${chain.turn ?? String(chain.turnStart)}:stop`,
        words?.offset ?? chain.turnStart,
        chain,
        own ? 'Stop' : 'SubagentStop',
        words === null ? {} : { last_assistant_message: last },
        {
          ...(words === null ? {} : { place: words }),
          alternatives: [...new Set([...all, last.trim(), ...all.map((text) => text.trim())])],
        },
      );
    }
    endTurn(chain);
  }

  private add(
    kind: TranscriptItem['kind'],
    uuid: string,
    offset: number,
    chain: Chain,
    hook: string,
    fields: Record<string, unknown>,
    more: { readonly key?: string; readonly place?: Place; readonly alternatives?: readonly string[] } = {},
  ): Record<string, unknown> {
    const { at, cwd, session } = more.place ?? this.place();
    const payload = {
      ...fields,
      session_id: session,
      hook_event_name: hook,
      ...(cwd === undefined ? {} : { cwd }),
      ...(at === null ? {} : { timestamp: at }),
      ...(chain.agentId === null ? {} : { agent_id: chain.agentId }),
    } satisfies HookPayload;
    this.items.push({
      kind,
      uuid,
      offset,
      session,
      at,
      key: more.key ?? lineKey(uuid),
      hook,
      payload,
      alternatives: more.alternatives ?? [],
      agentId: chain.agentId,
      agentGuessed: chain.agentGuessed,
      turn: chain.agentGuessed ? this.chain(null, false).turn : chain.turn,
    });
    return payload;
  }

  /** Of the current line. */
  private place(): Place {
    return { at: this.at, session: this.session, cwd: this.cwd };
  }

  private chain(agentId: string | null, agentGuessed: boolean): Chain {
    const known = this.chains.get(agentId ?? '');
    if (known !== undefined) return known;
    const chain = newChain(agentId, agentGuessed);
    this.chains.set(agentId ?? '', chain);
    return chain;
  }

  private chainOf(line: TranscriptLine): Chain {
    const agentId = line.agentId ?? this.options.agentId;
    if (agentId !== null) return this.chain(agentId, false);
    if (!line.isSidechain) return this.chain(null, false);
    const root = (line.parentUuid === null ? undefined : this.roots.get(line.parentUuid)) ?? line.uuid;
    this.roots.set(line.uuid, root);
    return this.chain(`sidechain-${root}`, true);
  }
}

function durationOf(from: string | null, to: string | null): { readonly duration_ms?: number } {
  if (from === null || to === null) return {};
  const ms = Date.parse(to) - Date.parse(from);
  return ms >= 0 && ms <= MAX_DURATION_MS ? { duration_ms: ms } : {};
}
