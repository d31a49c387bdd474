import { type JsonNode, nodeAt, parseJsonText } from './json-text.ts';

type Path = readonly (string | number)[];
type Container = Exclude<JsonNode, { kind: 'value' }>;

/**
 * Edits values of a JSON text and preserves all other bytes: order, indentation and line ends. Every
 * method throws if the text is not JSON or the path does not exist.
 */
export class JsonEdit {
  private current: string;
  private readonly unit: string;
  private readonly lineEnd: string;

  constructor(text: string) {
    this.current = text;
    this.unit = /\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
    this.lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  }

  get text(): string {
    return this.current;
  }

  /** Returns the parsed value at a path; undefined if absent. */
  value(path: Path): unknown {
    const node = nodeAt(this.root(), path);
    return node === undefined ? undefined : JSON.parse(this.current.slice(node.start, node.end));
  }

  /** Replaces a member of an object or adds it at the end. */
  set(path: Path, key: string, value: unknown): void {
    const container = this.container(path);
    const node = nodeAt(container, [key]);
    if (node === undefined) this.add(container, `${JSON.stringify(key)}: `, value);
    else this.splice(node.start, node.end, this.render(value, this.indentAt(node.start)));
  }

  /** Adds a value on one line at the end of an array. */
  append(path: Path, value: unknown): void {
    this.add(this.container(path), '', value, () => onOneLine(value));
  }

  /** Replaces the value at a path by one on one line. */
  replace(path: Path, value: unknown): void {
    const node = nodeAt(this.root(), path);
    if (node === undefined) throw new Error(`no value at ${path.join('.')}`);
    this.splice(node.start, node.end, onOneLine(value));
  }

  /** Removes a member or an item with its comma. A container without children becomes `{}` or `[]`. */
  remove(path: Path): void {
    const step = path.at(-1);
    const container = this.container(path.slice(0, -1));
    const children = childrenOf(container);
    const index =
      container.kind === 'object' ? container.members.findLastIndex((member) => member.key === step) : Number(step);
    const [child, before, after] = [children[index], children[index - 1], children[index + 1]];
    if (child === undefined) throw new Error(`no value at ${path.join('.')}`);
    if (before !== undefined) this.splice(before.end, child.end, '');
    else if (after !== undefined) this.splice(child.start, after.start, '');
    else this.splice(container.start + 1, container.end - 1, '');
  }

  private root(): JsonNode {
    const parsed = parseJsonText(this.current);
    if (parsed.kind === 'broken') throw new Error(`not JSON: ${parsed.reason}`);
    return parsed.root;
  }

  private container(path: Path): Container {
    const node = nodeAt(this.root(), path);
    if (node === undefined || node.kind === 'value') throw new Error(`no object or list at ${path.join('.')}`);
    return node;
  }

  private add(
    container: Container,
    label: string,
    value: unknown,
    render = (indent: string): string => this.render(value, indent),
  ): void {
    const children = childrenOf(container);
    const [first, last] = [children[0], children.at(-1)];
    if (first === undefined || last === undefined) {
      const base = this.indentAt(container.start);
      const inner = `${this.lineEnd}${base}${this.unit}${label}${render(base + this.unit)}${this.lineEnd}${base}`;
      this.splice(container.start + 1, container.end - 1, inner);
    } else if (this.current.slice(container.start, first.start).includes('\n')) {
      const indent = this.indentAt(first.start);
      this.splice(last.end, last.end, `,${this.lineEnd}${indent}${label}${render(indent)}`);
    } else {
      this.splice(last.end, last.end, `, ${label}${JSON.stringify(value)}`);
    }
  }

  private render(value: unknown, indent: string): string {
    return JSON.stringify(value, null, this.unit).replaceAll('\n', `${this.lineEnd}${indent}`);
  }

  /** Returns the indentation of the line at an offset. */
  private indentAt(offset: number): string {
    const line = this.current.lastIndexOf('\n', offset - 1) + 1;
    return /^[ \t]*/.exec(this.current.slice(line, offset))?.[0] ?? '';
  }

  private splice(start: number, end: number, text: string): void {
    this.current = this.current.slice(0, start) + text + this.current.slice(end);
  }
}

/** Returns JSON with a space after each separator. A line end in a string is escaped. */
function onOneLine(value: unknown): string {
  return JSON.stringify(value, null, 1).replaceAll(/\n */g, ' ');
}

/** Returns the offsets of the children; a member starts at its key. */
function childrenOf(container: Container): { readonly start: number; readonly end: number }[] {
  return container.kind === 'array'
    ? container.items.map(({ start, end }) => ({ start, end }))
    : container.members.map(({ start, value }) => ({ start, end: value.end }));
}
