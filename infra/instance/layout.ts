import path from 'node:path';

/** Absolute paths of an instance's files. */
export interface InstanceLayout {
  readonly dataDir: string;
  readonly postgres: string;
  readonly temporal: string;
  readonly weaviate: string;
  readonly logs: string;
  /** Runtime files: state, lock, ports, socket. */
  readonly run: string;
  readonly secretsFile: string;
  readonly credentialsFile: string;
  readonly versionFile: string;
  readonly portsFile: string;
  readonly stateFile: string;
  readonly lockFile: string;
}

/** Returns the layout of a data directory. Touches no file. */
export function instanceLayout(dataDir: string): InstanceLayout {
  const root = path.resolve(dataDir);
  const run = path.join(root, 'run');
  return {
    dataDir: root,
    postgres: path.join(root, 'postgres'),
    temporal: path.join(root, 'temporal'),
    weaviate: path.join(root, 'weaviate'),
    logs: path.join(root, 'logs'),
    run,
    secretsFile: path.join(root, 'secrets.json'),
    credentialsFile: path.join(root, 'credentials.json'),
    versionFile: path.join(root, 'version.json'),
    portsFile: path.join(run, 'ports.json'),
    stateFile: path.join(run, 'state.json'),
    lockFile: path.join(run, 'supervisor.lock'),
  };
}
