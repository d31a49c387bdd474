import { chmodSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { extract } from 'tar';
import { downloadFile, downloadText } from './download.ts';
import type { Engine } from './pinned.ts';
import type { MakeContext } from './resolve.ts';

export const OFFICIAL_RELEASES = 'https://github.com';

const MAX_ARCHIVE_BYTES = 600 * 1024 * 1024;
const MAX_PROGRAM_BYTES = 800 * 1024 * 1024;
const MEBIBYTE = 1024 * 1024;

/**
 * Downloads the programs of an engine from its official release to a folder, verified by SHA-256.
 * Rejects with DownloadError, or with Error for an unsupported machine or an unexpected archive.
 */
export async function fetchRelease(engine: Engine, folder: string, context: MakeContext): Promise<void> {
  const { release, version } = engine;
  const archive = release.archive(context.os, context.architecture);
  if (archive === null) throw new Error(`no official release for ${context.os} ${context.architecture}`);
  const base = `${context.releases.replace(/\/+$/, '')}/${release.repository}/releases/download/v${version}`;
  const sha256 =
    release.sha256[archive] ?? (await publishedChecksum(`${base}/${release.checksumFile(archive)}`, archive, context));
  const file = path.join(folder, 'archive.tar.gz');
  await downloadFile({
    url: `${base}/${archive}`,
    file,
    sha256,
    maxBytes: MAX_ARCHIVE_BYTES,
    signal: context.signal,
    onProgress: (bytes, total) =>
      context.update(`downloading ${version}: ${mebibytes(bytes)}${total === null ? '' : ` of ${mebibytes(total)}`}`),
  });
  context.update('unpacking');
  await unpack(engine, file, folder);
  rmSync(file);
}

/** Returns the checksum of an archive from one hash, or lines of `HASH  NAME`. */
export function checksumIn(text: string, archive: string): string | null {
  const lines = text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([hash]) => hash && /^[0-9a-fA-F]{64}$/.test(hash));
  const named = lines.find(([, name]) => name?.replace(/^\*/, '') === archive);
  const alone = lines.length === 1 && lines[0]?.length === 1 ? lines[0] : undefined;
  return (named ?? alone)?.[0]?.toLowerCase() ?? null;
}

async function publishedChecksum(url: string, archive: string, context: MakeContext): Promise<string> {
  const checksum = checksumIn(await downloadText({ url, signal: context.signal }), archive);
  if (checksum === null) throw new Error(`${url} has no SHA-256 of ${archive}`);
  return checksum;
}

async function unpack(engine: Engine, file: string, folder: string): Promise<void> {
  const wanted = new Set(engine.programs.map((program) => program.archiveName));
  await extract({
    file,
    cwd: folder,
    strict: true,
    // Extracts only the programs, by base name: no other file can be written.
    filter: (entryPath, entry) =>
      'type' in entry &&
      entry.type === 'File' &&
      wanted.has(path.posix.normalize(entryPath)) &&
      (entry.size ?? 0) <= MAX_PROGRAM_BYTES,
  });
  for (const program of engine.programs) {
    const target = path.join(folder, program.name);
    if (program.archiveName !== program.name) renameSync(path.join(folder, program.archiveName), target);
    chmodSync(target, 0o755);
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
