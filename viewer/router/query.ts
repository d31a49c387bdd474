import { trusted } from '../link/trusted.ts';

/** A value of a page in its address. */
export interface Parameter<Value> {
  /** Returns the value of the text of an address; the default for a missing or impossible one. */
  readonly read: (given: string | null) => Value;
  /** Returns the text for the address; null for the default, which the address leaves out. */
  readonly write: (value: Value) => string | null;
}

export type StateOf<Given> = {
  readonly [Name in keyof Given]: Given[Name] extends Parameter<infer Value> ? Value : never;
};

const LONGEST_TEXT = 2_048;

/** A text; the default is undefined, as in requests. */
export function textParameter(): Parameter<string | undefined> {
  return {
    read: (given) => given?.slice(0, LONGEST_TEXT) || undefined,
    write: (value) => value || null,
  };
}

/** One of the values; the default is undefined, as in requests. */
export function choiceParameter<const Value extends string>(values: readonly Value[]): Parameter<Value | undefined> {
  return { read: (given) => values.find((value) => value === given), write: (value) => value ?? null };
}

/** Several of the values, in their order, joined by commas. */
export function choicesParameter<const Value extends string>(values: readonly Value[]): Parameter<readonly Value[]> {
  return {
    read: (given) => {
      const parts = new Set(given?.split(','));
      return values.filter((value) => parts.has(value));
    },
    write: (value) => value.join(',') || null,
  };
}

/** An integer between two limits. */
export function numberParameter(standard: number, least: number, most: number): Parameter<number> {
  return {
    read: (given) => {
      const value = given === null || !/^-?\d{1,9}$/.test(given) ? standard : Number(given);
      return value < least || value > most ? standard : value;
    },
    write: (value) => (value === standard ? null : String(value)),
  };
}

/** On or off; the default is off. */
export function flagParameter(): Parameter<boolean> {
  return { read: (given) => given === 'true', write: (value) => (value ? 'true' : null) };
}

/** Returns parameters by name; each writes what it reads. */
function writable(parameters: object): Readonly<Record<string, Parameter<unknown>>> {
  return trusted(parameters);
}

/** Returns the values of an address. */
export function readQuery<const Given extends object>(parameters: Given, search: string): StateOf<Given> {
  const query = new URLSearchParams(search);
  const entries = Object.entries(writable(parameters)).map(([name, { read }]) => [name, read(query.get(name))]);
  return trusted(Object.fromEntries(entries));
}

/** Returns the query of an address, with `?` unless it is empty; in the order of the parameters, so that equal states have equal addresses. */
export function writeQuery<const Given extends object>(parameters: Given, state: StateOf<Given>): string {
  const query = new URLSearchParams();
  const values: Readonly<Record<string, unknown>> = { ...state };
  for (const [name, { write }] of Object.entries(writable(parameters))) {
    const text = write(values[name]);
    if (text !== null) query.set(name, text);
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}
