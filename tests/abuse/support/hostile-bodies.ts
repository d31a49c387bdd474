const MIB = 1024 * 1024;

export interface HostileBody {
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer;
  readonly type?: string;
}

/** Repeats a piece up to a number of bytes. */
function filled(piece: string, bytes: number): string {
  return piece.repeat(Math.floor(bytes / piece.length));
}

function hook(name: string, value: string, event = 'PostToolUse'): HostileBody {
  const field = event === 'UserPromptSubmit' ? 'prompt' : 'tool_response';
  return {
    name,
    path: `/hooks/${event}`,
    bytes: Buffer.from(`{"session_id":"hostile","tool_name":"Bash","${field}":${value}}`),
  };
}

function lines(name: string, line: string, bytes: number): HostileBody {
  return {
    name,
    path: '/events/batch',
    bytes: Buffer.from(filled(`${line}\n`, bytes)),
    type: 'application/x-ndjson',
  };
}

/** Returns a completed transcript. */
function transcript(name: string, piece: string): HostileBody {
  const bytes = Buffer.from(piece);
  const query = new URLSearchParams({
    machine: 'hostile',
    path: `/hostile/${name.replaceAll(/\W/g, '-')}.jsonl`,
    fingerprint: 'f',
    offset: '0',
    size: String(bytes.length),
    modified_at: '2026-01-01T00:00:00Z',
    quiet_ms: '90000000',
  });
  return { name, path: `/transcripts?${query.toString()}`, bytes, type: 'application/x-ndjson' };
}

function rows(name: string, texts: readonly string[]): HostileBody {
  return {
    name,
    path: `/imports/claude-mem/rows?source=${'a'.repeat(32)}&table=user_prompts`,
    bytes: Buffer.from(
      texts
        .map((text, at) => `{"id":${at + 1},"content_session_id":"hostile","prompt_number":1,"prompt_text":${text}}\n`)
        .join(''),
    ),
    type: 'application/x-ndjson',
  };
}

const message = (text: string) => `{"type":"user","message":{"content":${text}}}`;
const event = (content: string) => `{"type":"prompt","session_id":"hostile","content":${content}}`;
const quoted = (piece: string, bytes: number) => `"${filled(piece, bytes)}"`;

/** The worst known bodies for each route, of about its largest size. */
export function hostileBodies(hookBytes: number): readonly HostileBody[] {
  const keys = Array.from({ length: Math.floor(hookBytes / 11) }, (_, at) => `"${at}":1`).join(',');
  const texts = ['<private><\\/private>', '&lt;private ', '\\u0000', '\\ud83d', 'Authorization: Bearer '];
  const list = (element: string, bytes: number) => `[${filled(`${element},`, bytes)}${element}]`;
  return [
    hook('hook of %3cprivate', quoted('%3cprivate ', hookBytes)),
    hook('hook of one value', quoted('a', hookBytes)),
    ...texts.map((piece) => hook(`hook of ${piece}`, quoted(piece, hookBytes / 16))),
    hook('prompt of %3cprivate', quoted('%3cprivate ', hookBytes / 16), 'UserPromptSubmit'),
    hook('hook of [', filled('[', hookBytes)),
    hook('hook of short keys', `{${keys}}`),
    hook(
      'hook of as many keys as it may have',
      `{${Array.from({ length: Math.min(45_000, hookBytes / 32) }, (_, at) => `"k${at}":"<private "`).join(',')}}`,
    ),
    hook('hook of values under the cut', list(quoted('abcd efg ', 60_000), hookBytes / 4)),
    hook('hook in depth', `${filled('{"a":', hookBytes / 2)}1${filled('}', hookBytes / 2)}`),
    hook('hook just under the thread', quoted('%3cprivate ', 32 * 1024 - 200)),
    { name: 'white space', path: '/hooks/Stop', bytes: Buffer.from(filled(' ', hookBytes)) },
    { name: 'event of %3cprivate', path: '/events', bytes: Buffer.from(event(quoted('%3cprivate ', MIB - 200))) },
    { name: 'empty objects', path: '/events/batch', bytes: Buffer.from(list('{}', 4 * MIB - 10)) },
    {
      name: 'objects within the limit',
      path: '/events/batch',
      bytes: Buffer.from(list('{"type":"prompt","tags":[0,1,2,3,4,5,6,7,8,9]}', 300_000)),
    },
    {
      name: 'events of %3cprivate',
      path: '/events/batch',
      bytes: Buffer.from(list(event(quoted('%3cprivate ', 30_000)), 4 * MIB - 40_000)),
    },
    { name: 'strings of escapes', path: '/events/batch', bytes: Buffer.from(list(quoted('\\n\\u00e9', 40), 3 * MIB)) },
    {
      name: 'memories of %3cprivate',
      path: '/memories/batch',
      bytes: Buffer.from(`{"memories":${list(`{"content":${quoted('%3cprivate ', 4_000)}}`, 3 * MIB)}}`),
    },
    {
      name: 'a question of %3cprivate',
      path: '/context',
      bytes: Buffer.from(`{"purpose":"prompt","prompt":${quoted('%3cprivate ', 900_000)}}`),
    },
    lines('lines that are short', '{}', hookBytes / 128),
    lines('lines that are no JSON', 'x', hookBytes / 256),
    lines('lines of events', event('"short"'), hookBytes / 64),
    lines('lines of %3cprivate', event(quoted('%3cprivate ', 20_000)), hookBytes / 16),
    lines('lines of 1 MiB', event(quoted('&lt;private ', MIB - 100)), hookBytes / 15),
    transcript('transcript of one line', message(quoted('a', hookBytes))),
    transcript('transcript of a wide line', message(list('0', hookBytes))),
    transcript(
      'transcript of a call of 8 MB',
      `{"type":"assistant","message":{"id":"m","content":[{"type":"tool_use","id":"t","name":"Bash","input":{}}]}}\n{"type":"user","toolUseResult":${list(quoted('abcd efg ', 5_000), hookBytes / 4)},"message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"x"}]}}`,
    ),
    transcript('transcript of %3cprivate', filled(`${message(quoted('%3cprivate ', 200_000))}\n`, hookBytes / 32)),
    transcript('transcript of short lines', filled('{"type":"progress"}\n', hookBytes / 8)),
    transcript('transcript of lines that are no JSON', filled('x\n', hookBytes / 64)),
    rows('row of one value', [quoted('a', hookBytes)]),
    rows('row that is wide', [list('0', hookBytes)]),
    rows(
      'rows of %3cprivate',
      Array.from({ length: 100 }, () => quoted('%3cprivate ', 20_000)),
    ),
    {
      name: 'memory of %3cprivate',
      path: '/memories',
      bytes: Buffer.from(`{"content":${quoted('%3cprivate ', 65_000)}}`),
    },
  ];
}
