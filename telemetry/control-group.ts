import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Returns the file of memory statistics of the control group of this process, and the name of its file cache in them; null without one. */
function statisticsOf(root: string): { readonly file: string; readonly name: string } | null {
  const at = (...parts: string[]): string => path.join(root, 'sys/fs/cgroup', ...parts, 'memory.stat');
  const groups = path.join(root, 'proc/self/cgroup');
  if (!existsSync(groups)) return null;
  const text = readFileSync(groups, 'utf8');
  // The first version lists its controllers; within a container their folders are mounted without the path that is listed.
  const first = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(?<folder>.*)$/m.exec(text)?.groups?.['folder'];
  const second = /^0::(?<folder>.*)$/m.exec(text)?.groups?.['folder'] ?? '';
  const files = first === undefined ? [at(second)] : [at('memory', first), at('memory')];
  const file = files.find((each) => existsSync(each));
  return file === undefined ? null : { file, name: first === undefined ? 'inactive_file' : 'total_inactive_file' };
}

/** Returns the cache of files that the kernel drops before memory is short, in bytes, of the control group of this process; 0 without one. `root`: of the file system. */
export function droppableCacheBytes(root: string): number {
  const statistics = statisticsOf(root);
  if (statistics === null) return 0;
  const line = new RegExp(`^${statistics.name} (?<bytes>\\d+)$`, 'm').exec(readFileSync(statistics.file, 'utf8'));
  return Number(line?.groups?.['bytes'] ?? 0);
}
