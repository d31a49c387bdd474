import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessMemory {
  readonly name: string;
  readonly processes: number;
  /** Proportional set size: shared pages are counted once over all who share them. */
  readonly pssMib: number;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process ended meanwhile.
  }
}

/** Parent of every process, by pid. Linux only. */
function parents(): Map<number, number> {
  const found = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const after = readOrEmpty(`/proc/${entry}/stat`).split(') ')[1];
    if (after !== undefined) found.set(Number(entry), Number(after.split(' ')[1]));
  }
  return found;
}

/** Resident memory of a process in MiB; 0 of one that has ended. */
export function residentMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

/** A process and everything below it. */
export function familyOf(pid: number): number[] {
  const all = parents();
  const family = [pid];
  for (const member of family) for (const [child, parent] of all) if (parent === member) family.push(child);
  return family;
}

/** Memory of a supervisor's family: itself, and each service with its own children. `roots` names the services by pid. */
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
