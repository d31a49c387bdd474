const REFERENCE = /^#\/\$defs\/(.+)$/u;

/**
 * Returns a schema in the form that every server accepts: definitions in place of references, which not all resolve, and a type beside each list of
 * values, which OpenAI requires. The schemas of responses are closed, without recursion, and have lists of strings only.
 */
export function strictSchema(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const definitions = new Map<string, unknown>(Object.entries(Object(schema['$defs'])));
  const strict = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(strict);
    if (typeof part !== 'object' || part === null) return part;
    const fields = new Map<string, unknown>(Object.entries(part));
    const reference = fields.get('$ref');
    const [, name] = typeof reference === 'string' ? (REFERENCE.exec(reference) ?? []) : [];
    if (name !== undefined) return strict(definitions.get(name));
    if (fields.has('enum')) fields.set('type', 'string');
    return Object.fromEntries([...fields].map(([key, value]) => [key, strict(value)]));
  };
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== '$defs')
      .map(([key, value]) => [key, strict(value)]),
  );
}
