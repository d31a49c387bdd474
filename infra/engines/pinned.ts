import path from 'node:path';

/** A program of an engine. */
export interface EngineProgram {
  /** Name in the cache and in messages. */
  readonly name: 'temporal-server' | 'temporal-sql-tool' | 'weaviate-server' | 'versitygw';
  /** Variable with the path of the program, which takes precedence. */
  readonly variable:
    | 'RECOLLECT_TEMPORAL_SERVER'
    | 'RECOLLECT_TEMPORAL_SQL_TOOL'
    | 'RECOLLECT_WEAVIATE_SERVER'
    | 'RECOLLECT_VERSITYGW';
  /** Names of an installed program. */
  readonly pathNames: readonly string[];
  /** Name in the release archive. */
  readonly archiveName: string;
  readonly goPackage: string;
  /** Go module in the version stamp. */
  readonly goModule: string;
}

/** Programs released, built and cached together. */
export interface Engine {
  readonly name: 'temporal' | 'weaviate' | 'versitygw';
  readonly version: string;
  readonly programs: readonly EngineProgram[];
  /** Folder with the committed go.mod and go.sum. */
  readonly goFolder: string;
  readonly release: Release;
}

/** Release of an engine's project. */
export interface Release {
  /** `https://github.com/<repository>/releases/download/v<version>/<archive>`. */
  readonly repository: string;
  /** Returns the archive for a machine; null if none is published. */
  readonly archive: (os: string, architecture: string) => string | null;
  /** Returns the checksum file of an archive: one SHA-256, or lines of `HASH  NAME`. */
  readonly checksumFile: (archive: string) => string;
  /**
   * Verified SHA-256 by archive. Without an entry, the archive is compared with the published checksum file, which detects
   * damage but does not authenticate the publisher. For authenticity, build from the Go modules, which go.sum
   * pins.
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
