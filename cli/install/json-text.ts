/** A value in a JSON text with its offsets, end exclusive. */
export type JsonNode =
  | { readonly kind: 'object'; readonly start: number; readonly end: number; readonly members: readonly JsonMember[] }
  | { readonly kind: 'array'; readonly start: number; readonly end: number; readonly items: readonly JsonNode[] }
  | { readonly kind: 'value'; readonly start: number; readonly end: number };

export interface JsonMember {
  readonly key: string;
  /** Offset of the key's quote. */
  readonly start: number;
  readonly value: JsonNode;
}

const DEPTH = 200;

export type JsonText =
  | { readonly kind: 'json'; readonly root: JsonNode; readonly value: unknown }
  | { readonly kind: 'broken'; readonly reason: string };

/** Parses a JSON text with offsets. A reason never quotes the text, which may contain secrets. */
export function parseJsonText(text: string): JsonText {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ' '));
  } catch (error) {
    const place = error instanceof Error ? /\(line (\d+) column (\d+)\)/.exec(error.message) : null;
    return { kind: 'broken', reason: place === null ? 'unexpected end' : `line ${place[1]}, column ${place[2]}` };
  }
  const reader = new Reader(text);
  const root = reader.read(0);
  return root === null ? { kind: 'broken', reason: 'nested too deeply' } : { kind: 'json', root, value };
}

/** Reads the offsets of values in valid JSON. */
class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Returns null beyond DEPTH. */
  read(depth: number): JsonNode | null {
    if (depth > DEPTH) return null;
    this.skip();
    const first = this.text[this.at];
    if (first === '{') return this.readObject(depth);
    if (first === '[') return this.readArray(depth);
    const start = this.at;
    if (first === '"') this.readString();
    else while (this.at < this.text.length && !/[\s,\]}]/.test(this.text[this.at] ?? '')) this.at += 1;
    return { kind: 'value', start, end: this.at };
  }

  private readObject(depth: number): JsonNode | null {
    const start = this.at;
    const members: JsonMember[] = [];
    for (this.at += 1; this.upTo('}');) {
      const keyAt = this.at;
      const key: unknown = JSON.parse(this.readString());
      this.skip();
      this.at += 1; // the colon
      const value = this.read(depth + 1);
      if (value === null) return null;
      members.push({ key: String(key), start: keyAt, value });
    }
    return { kind: 'object', start, end: this.at, members };
  }

  private readArray(depth: number): JsonNode | null {
    const start = this.at;
    const items: JsonNode[] = [];
    for (this.at += 1; this.upTo(']');) {
      const item = this.read(depth + 1);
      if (item === null) return null;
      items.push(item);
    }
    return { kind: 'array', start, end: this.at, items };
  }

  /** Moves to the next child; returns false after the closing bracket. */
  private upTo(bracket: string): boolean {
    this.skip();
    if (this.text[this.at] === ',') {
      this.at += 1;
      this.skip();
    }
    if (this.text[this.at] !== bracket) return true;
    this.at += 1;
    return false;
  }

  private readString(): string {
    const start = this.at;
    for (this.at += 1; this.text[this.at] !== '"'; this.at += 1) if (this.text[this.at] === '\\') this.at += 1;
    this.at += 1;
    return this.text.slice(start, this.at);
  }

  private skip(): void {
    while (/[\s\uFEFF]/.test(this.text[this.at] ?? '')) this.at += 1;
  }
}

/** Returns the value at a path; undefined if absent. Of duplicate names the last counts, as in JSON.parse. */
export function nodeAt(root: JsonNode, path: readonly (string | number)[]): JsonNode | undefined {
  let node: JsonNode | undefined = root;
  for (const step of path) {
    if (node?.kind === 'object') node = node.members.findLast((member) => member.key === step)?.value;
    else if (node?.kind === 'array' && typeof step === 'number') node = node.items[step];
    else return undefined;
  }
  return node;
}
