/** Returns a value as a type that its caller guarantees, such as an answer of the server that served the page. The only cast of the viewer. */
export function trusted<Value>(value: unknown): Value;
export function trusted(value: unknown): unknown {
  return value;
}
