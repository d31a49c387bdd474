/** Environment variables by name, as a process starts with them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. The only place that reads it: all other code takes it as an argument. */
export function processEnvironment(): Environment {
  return process.env;
}
