/** Returns the processor time that this thread spends on some work, in ms. Other load of the machine does not count, unlike in the time that passes. */
export function processorMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
