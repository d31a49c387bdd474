import path from 'node:path';

/** Where everything of one instance lives. All paths are absolute. */
export interface InstanceLayout {
  readonly dataDir: string;
  readonly postgres: string;
  readonly temporal: string;
  readonly weaviate: string;
  readonly logs: string;
  /** What only means something while processes run: state, lock, ports, socket. */
  readonly run: string;
  readonly secretsFile: string;
  readonly credentialsFile: string;
  readonly versionFile: string;
  readonly portsFile: string;
  readonly stateFile: string;
  readonly lockFile: string;
}

/** The layout of the data directory at a path, which may be relative to the current folder. Touches no file. */
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
