/** Protocol buffers, as far as an ONNX file needs them. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}
export const number = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
export function bytes(field: number, ...parts: (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

export const FLOAT = 1;
export const INT64 = 7;

export function tensor(name: string, type: number, shape: readonly number[], data: Buffer): Buffer {
  return Buffer.concat([...shape.map((size) => number(1, size)), number(2, type), bytes(8, name), bytes(9, data)]);
}
export function value(name: string, type: number, shape: readonly string[]): Buffer {
  const dimensions = shape.map((parameter) => bytes(1, bytes(2, parameter)));
  return Buffer.concat([bytes(1, name), bytes(2, bytes(1, number(1, type), bytes(2, ...dimensions)))]);
}
export function node(operator: string, inputs: readonly string[], output: string): Buffer {
  return Buffer.concat([...inputs.map((input) => bytes(1, input)), bytes(2, output), bytes(4, operator)]);
}
