/** Addresses and credentials of the suite's engines: plain values, sent to every test process. */
export interface ProvidedEngines {
  readonly postgres: { readonly host: string; readonly port: number; readonly user: string; readonly password: string };
  readonly temporal: { readonly address: string };
  readonly weaviate: { readonly url: string; readonly grpcPort: number; readonly apiKey: string };
}

/** Passwords of the login roles of the suite's cluster. */
export interface ProvidedRoles {
  readonly owner: string;
  readonly app: string;
  readonly maintenance: string;
  readonly restore: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    engines: ProvidedEngines;
    roles: ProvidedRoles;
    /** Directory of engine binaries and model files. */
    cacheDir: string;
  }
}

/** Template of every test database. */
export const TEMPLATE_DATABASE = 'recollect_template';

/** Role that reads every row of every test database and cannot write. */
export const READER_ROLE = 'test_reader';
