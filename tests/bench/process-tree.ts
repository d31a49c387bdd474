import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessMemory {
  readonly name: string;
  readonly processes: number;
  /** Proportional set size: each process counts its part of shared pages. */
  readonly pssMib: number;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process ended meanwhile.
  }
}

/** Returns the parent of every process by pid. Linux only. */
function parents(): Map<number, number> {
  const found = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const after = readOrEmpty(`/proc/${entry}/stat`).split(') ')[1];
    if (after !== undefined) found.set(Number(entry), Number(after.split(' ')[1]));
  }
  return found;
}

/** Returns the resident memory of a process in MiB; 0 if it has ended. */
export function residentMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

/** Returns a process and its descendants. */
export function familyOf(pid: number): number[] {
  const all = parents();
  const family = [pid];
  for (const member of family) for (const [child, parent] of all) if (parent === member) family.push(child);
  return family;
}

/** Returns the children of a process whose command line contains a word. */
export function childrenOf(parent: number, word: string): number[] {
  return [...parents()].flatMap(([pid, its]) =>
    its === parent && readOrEmpty(`/proc/${pid}/cmdline`).includes(word) ? [pid] : [],
  );
}

/** Returns the memory of a supervisor and of each service with its children. `roots` contains the services' pids by name. */
export function memoryOf(supervisor: number, roots: ReadonlyMap<string, number>): ProcessMemory[] {
  const pss = (pid: number) =>
    Number(/^Pss:\s+(\d+) kB/m.exec(readOrEmpty(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;
  const rows: ProcessMemory[] = [{ name: 'supervisor', processes: 1, pssMib: pss(supervisor) }];
  for (const [name, root] of roots) {
    const family = familyOf(root);
    rows.push({ name, processes: family.length, pssMib: family.reduce((sum, pid) => sum + pss(pid), 0) });
  }
  return rows.map((row) => ({ ...row, pssMib: Math.round(row.pssMib * 10) / 10 }));
}
