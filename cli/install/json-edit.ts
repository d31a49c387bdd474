import { type JsonNode, nodeAt, parseJsonText } from './json-text.ts';

type Path = readonly (string | number)[];
type Container = Exclude<JsonNode, { kind: 'value' }>;

/**
 * Changes single places of a JSON text and leaves every other byte as it is: other people's order, indentation and line ends. Every
 * method throws when the text is no JSON or the place is not there, so look first.
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

  /** The parsed value at a path, undefined where there is none. */
  value(path: Path): unknown {
    const node = nodeAt(this.root(), path);
    return node === undefined ? undefined : JSON.parse(this.current.slice(node.start, node.end));
  }

  /** Sets a member of an object: replaces its value, or adds it after the last one. */
  set(path: Path, key: string, value: unknown): void {
    const container = this.container(path);
    const node = nodeAt(container, [key]);
    if (node === undefined) this.add(container, `${JSON.stringify(key)}: `, value);
    else this.splice(node.start, node.end, this.render(value, this.indentAt(node.start)));
  }

  /** Puts a value after the last one of an array. */
  append(path: Path, value: unknown): void {
    this.add(this.container(path), '', value);
  }

  /** Replaces what stands at a path. */
  replace(path: Path, value: unknown): void {
    const node = nodeAt(this.root(), path);
    if (node === undefined) throw new Error(`nothing stands at ${path.join('.')}`);
    this.splice(node.start, node.end, this.render(value, this.indentAt(node.start)));
  }

  /** Takes a member or an item out, with its comma. A container that loses its last child becomes `{}` or `[]`. */
  remove(path: Path): void {
    const step = path.at(-1);
    const container = this.container(path.slice(0, -1));
    const children = childrenOf(container);
    const index =
      container.kind === 'object' ? container.members.findLastIndex((member) => member.key === step) : Number(step);
    const [child, before, after] = [children[index], children[index - 1], children[index + 1]];
    if (child === undefined) throw new Error(`nothing stands at ${path.join('.')}`);
    if (before !== undefined) this.splice(before.end, child.end, '');
    else if (after !== undefined) this.splice(child.start, after.start, '');
    else this.splice(container.start + 1, container.end - 1, '');
  }

  private root(): JsonNode {
    const parsed = parseJsonText(this.current);
    if (parsed.kind === 'broken') throw new Error(`the text is no JSON: ${parsed.reason}`);
    return parsed.root;
  }

  private container(path: Path): Container {
    const node = nodeAt(this.root(), path);
    if (node === undefined || node.kind === 'value') throw new Error(`no object or list stands at ${path.join('.')}`);
    return node;
  }

  private add(container: Container, label: string, value: unknown): void {
    const children = childrenOf(container);
    const [first, last] = [children[0], children.at(-1)];
    if (first === undefined || last === undefined) {
      const base = this.indentAt(container.start);
      const inner = `${this.lineEnd}${base}${this.unit}${label}${this.render(value, base + this.unit)}${this.lineEnd}${base}`;
      this.splice(container.start + 1, container.end - 1, inner);
    } else if (this.current.slice(container.start, first.start).includes('\n')) {
      const indent = this.indentAt(first.start);
      this.splice(last.end, last.end, `,${this.lineEnd}${indent}${label}${this.render(value, indent)}`);
    } else {
      this.splice(last.end, last.end, `, ${label}${JSON.stringify(value)}`);
    }
  }

  private render(value: unknown, indent: string): string {
    return JSON.stringify(value, null, this.unit).replaceAll('\n', `${this.lineEnd}${indent}`);
  }

  /** White space at the beginning of the line in which an offset stands. */
  private indentAt(offset: number): string {
    const line = this.current.lastIndexOf('\n', offset - 1) + 1;
    return /^[ \t]*/.exec(this.current.slice(line, offset))?.[0] ?? '';
  }

  private splice(start: number, end: number, text: string): void {
    this.current = this.current.slice(0, start) + text + this.current.slice(end);
  }
}

/** Where each child begins and ends; a member begins with its key. */
function childrenOf(container: Container): { readonly start: number; readonly end: number }[] {
  return container.kind === 'array'
    ? container.items.map(({ start, end }) => ({ start, end }))
    : container.members.map(({ start, value }) => ({ start, end: value.end }));
}
