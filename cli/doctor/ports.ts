import type { InstanceLayout } from '../../infra/instance/layout.ts';
import { DEFAULT_PORTS, isPortFree, readSavedPorts } from '../../infra/instance/ports.ts';
import { findSupervisor } from '../../infra/supervisor/stop-instance.ts';
import type { Finding } from './finding.ts';

/** Whether the ports of the last start, else the usual ones, are free. Taken ones are replaced, so they only warn. */
export async function checkPorts(layout: InstanceLayout): Promise<Finding> {
  const what = 'ports';
  const running = findSupervisor(layout);
  if (running !== null) return { result: 'ok', what, text: `in use by this instance (process ${running.pid})` };
  const taken: string[] = [];
  for (const [name, port] of Object.entries({ ...DEFAULT_PORTS, ...readSavedPorts(layout.portsFile) })) {
    if (!(await isPortFree(port))) taken.push(`${name} ${port}`);
  }
  if (taken.length === 0) return { result: 'ok', what, text: 'all free' };
  return {
    result: 'warn',
    what,
    text: `taken: ${taken.join(', ')}`,
    advice: 'The start takes free ones instead; hooks that name the old API port need the new one.',
  };
}
