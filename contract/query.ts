import { z } from 'zod';

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** What JSON would write so; anything else stays as it is, and is refused. */
function numberOf(given: unknown): unknown {
  return typeof given === 'string' && NUMBER.test(given) ? Number(given) : given;
}

function booleanOf(given: unknown): unknown {
  return given === 'true' ? true : given === 'false' ? false : given;
}

/** A number in an address. Give defaults by `prefault`: the document shows them. */
export function numeric<Schema extends z.ZodType<number>>(schema: Schema) {
  return z.preprocess(numberOf, schema);
}

/** `true` or `false` in an address. */
export function flag() {
  return z.preprocess(booleanOf, z.boolean());
}

/** Several values in one parameter. */
const MAX_JOINED = 16;

function parts(given: string): string[] {
  return given.split(',').map((part) => part.replaceAll(/^ +| +$/g, ''));
}

/** One of these values, or several joined by commas. */
export function oneOrMore<const Value extends string>(values: readonly Value[]) {
  const one = ` ?(?:${values.join('|')}) ?`;
  return z
    .string()
    .regex(new RegExp(`^${one}(?:,${one}){0,${MAX_JOINED - 1}}$`), `must be of ${values.join(', ')}, joined by commas`)
    .transform(parts)
    .pipe(z.array(z.enum(values)));
}

/** One tag, or several joined by commas. */
export function tagsJoined() {
  const one = ' ?[^, ][^,]{0,63}';
  return z
    .string()
    .regex(
      new RegExp(`^${one}(?:,${one}){0,${MAX_JOINED - 1}}$`, 'u'),
      'must be tags of 1 to 64 characters, joined by commas',
    )
    .transform(parts)
    .pipe(z.array(z.string()));
}
