import { z } from 'zod';
import { environmentSchema } from '../../config/config.ts';
import type { Environment } from '../../config/process-environment.ts';

const property = z.looseObject({ type: z.string().optional(), enum: z.array(z.unknown()).optional() });

/** Settings whose values are numbers, switches or one of a closed list: no key, address, path or name fits into them. */
function shownSettings(): ReadonlySet<string> {
  const { properties } = z.toJSONSchema(environmentSchema, { unrepresentable: 'any', io: 'output' });
  return new Set(
    Object.entries(properties ?? {}).flatMap(([name, schema]) => {
      const { type, enum: values } = property.parse(schema);
      return values !== undefined || type === 'integer' || type === 'number' || type === 'boolean' ? [name] : [];
    }),
  );
}

/** Returns the settings of an environment: values of those that cannot contain a secret, `set` for the others; `unknown` for names that are no setting. */
export function settingsOf(environment: Environment): Readonly<Record<string, string>> {
  const shown = shownSettings();
  const known = new Set(Object.keys(environmentSchema.shape));
  return Object.fromEntries(
    Object.entries(environment)
      .filter(([name, value]) => name.startsWith('RECOLLECT_') && value !== undefined && value !== '')
      .map(([name, value]): [string, string] => {
        const isValid = shown.has(name) && /^[\w.+-]{1,40}$/.test(value ?? '');
        return [name, isValid ? (value ?? '') : known.has(name) ? 'set' : 'unknown'];
      })
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
}
