import path from 'node:path';

/** A program that Recollect runs beside itself. */
export interface EngineProgram {
  /** Its name in the cache and in messages. */
  readonly name: 'temporal-server' | 'temporal-sql-tool' | 'weaviate-server' | 'versitygw';
  /** Names a ready program; nothing else is then looked for. */
  readonly variable:
    | 'RECOLLECT_TEMPORAL_SERVER'
    | 'RECOLLECT_TEMPORAL_SQL_TOOL'
    | 'RECOLLECT_WEAVIATE_SERVER'
    | 'RECOLLECT_VERSITYGW';
  /** What it is called on a machine that has it installed. */
  readonly pathNames: readonly string[];
  /** Its name inside the release archive. */
  readonly archiveName: string;
  readonly goPackage: string;
  /** The Go module that its version stamp names. */
  readonly goModule: string;
}

/** Programs of one version that are released, built and cached together. */
export interface Engine {
  readonly name: 'temporal' | 'weaviate' | 'versitygw';
  readonly version: string;
  readonly programs: readonly EngineProgram[];
  /** Folder with the committed go.mod and go.sum. */
  readonly goFolder: string;
  readonly release: Release;
}

/** Where a project publishes its programs. */
export interface Release {
  /** `https://github.com/<repository>/releases/download/v<version>/<archive>`. */
  readonly repository: string;
  /** The archive for a machine, or null where the project publishes none. */
  readonly archive: (os: string, architecture: string) => string | null;
  /** The file beside the archive that holds its SHA-256, alone or in a list of `HASH  NAME`. */
  readonly checksumFile: (archive: string) => string;
  /**
   * SHA-256 by archive, where somebody has checked one. Empty as long as nobody has: then the published checksum file is
   * what an archive is compared with. That finds damage on the way; it does not prove who published both. Whoever needs
   * that builds from the Go modules, which are pinned by go.sum.
   */
  readonly sha256: Readonly<Record<string, string>>;
}

const GO_FOLDER = path.join(import.meta.dirname, 'go');
const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export const TEMPORAL: Engine = {
  name: 'temporal',
  version: '1.32.1',
  goFolder: path.join(GO_FOLDER, 'temporal'),
  programs: [
    {
      name: 'temporal-server',
      variable: 'RECOLLECT_TEMPORAL_SERVER',
      pathNames: ['temporal-server'],
      archiveName: 'temporal-server',
      goPackage: 'go.temporal.io/server/cmd/server',
      goModule: 'go.temporal.io/server',
    },
    {
      name: 'temporal-sql-tool',
      variable: 'RECOLLECT_TEMPORAL_SQL_TOOL',
      pathNames: ['temporal-sql-tool'],
      archiveName: 'temporal-sql-tool',
      goPackage: 'go.temporal.io/server/cmd/tools/sql',
      goModule: 'go.temporal.io/server',
    },
  ],
  release: {
    repository: 'temporalio/temporal',
    archive: (os, architecture) => {
      const target = GO_ARCHITECTURES[architecture];
      return target && (os === 'linux' || os === 'darwin') ? `temporal_1.32.1_${os}_${target}.tar.gz` : null;
    },
    checksumFile: () => 'checksums.txt',
    sha256: {},
  },
};

export const WEAVIATE: Engine = {
  name: 'weaviate',
  version: '1.35.2',
  goFolder: path.join(GO_FOLDER, 'weaviate'),
  programs: [
    {
      name: 'weaviate-server',
      variable: 'RECOLLECT_WEAVIATE_SERVER',
      pathNames: ['weaviate-server', 'weaviate'],
      archiveName: 'weaviate',
      goPackage: 'github.com/weaviate/weaviate/cmd/weaviate-server',
      goModule: 'github.com/weaviate/weaviate',
    },
  ],
  release: {
    repository: 'weaviate/weaviate',
    archive: (os, architecture) => {
      const target = GO_ARCHITECTURES[architecture];
      return target && os === 'linux' ? `weaviate-v1.35.2-linux-${target}.tar.gz` : null;
    },
    checksumFile: (archive) => `${archive}.sha256`,
    sha256: {},
  },
};
