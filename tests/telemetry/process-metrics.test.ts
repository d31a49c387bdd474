import { mkdirSync, writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { measureMachine } from '../../telemetry/process-metrics.ts';
import { testFolder } from '../infra/support/folder.ts';

const MIB = 1024 ** 2;
const V2 = '0::/pod/recollect\n';
const V1 = '5:cpuset:/pod/recollect\n4:cpu,memory:/pod/recollect\n0::/\n';
const NESTED = `anon 1\ninactive_file ${300 * MIB}\nactive_file 7\n`;
const HIERARCHY = `inactive_file 1\ntotal_inactive_file ${200 * MIB}\ntotal_active_file 7\n`;

/** Returns a root folder with the control group of a process, and its files below `/sys/fs/cgroup`. */
function rootWith(groups: string, files: Readonly<Record<string, string>>): string {
  const root = testFolder();
  const all = { 'proc/self/cgroup': groups, ...files };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  }
  return root;
}

/** Node's figures of a container with 1,000 MiB, of which it has 100 MiB left. */
function limited(limit = 1_000 * MIB): void {
  vi.spyOn(process, 'constrainedMemory').mockReturnValue(limit);
  vi.spyOn(process, 'availableMemory').mockReturnValue(100 * MIB);
}
afterEach(() => void vi.restoreAllMocks());

test.each([
  ['control groups of version 2', V2, { 'sys/fs/cgroup/pod/recollect/memory.stat': NESTED }, 600],
  ['version 2 in a namespace', '0::/\n', { 'sys/fs/cgroup/memory.stat': NESTED }, 600],
  ['version 1', V1, { 'sys/fs/cgroup/memory/pod/recollect/memory.stat': HIERARCHY }, 700],
  ['version 1, mounted at the group', V1, { 'sys/fs/cgroup/memory/memory.stat': HIERARCHY }, 700],
  ['no statistics', V2, {}, 900],
])('used memory of a container has no files that the kernel can drop: %s', (_which, groups, files, used) => {
  limited();
  expect(measureMachine(rootWith(groups, files))).toMatchObject({
    machine_used_bytes: used * MIB,
    machine_limit_bytes: 1_000 * MIB,
  });
});

test('used memory of a machine is what is not available', () => {
  limited(2 ** 64);
  expect(measureMachine(rootWith(V2, { 'sys/fs/cgroup/pod/recollect/memory.stat': NESTED }))).toMatchObject({
    machine_used_bytes: totalmem() - 100 * MIB,
    machine_limit_bytes: totalmem(),
  });
});

test('memory is measured where there are no control groups', () => {
  limited();
  expect(measureMachine(testFolder())).toMatchObject({ machine_used_bytes: 900 * MIB });
});
