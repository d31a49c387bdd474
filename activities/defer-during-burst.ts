import { Context } from '@temporalio/activity';

/** How long one call stands back at most: in a flood without end the work goes on, in larger steps. */
const LONGEST_MS = 30_000;
const LOOK_MS = 500;

type Activity = (input: never) => Promise<unknown>;

/** Waits while captures come in a flood, heartbeating. Rejects when the activity is cancelled meanwhile. */
async function untilCalm(isBurst: () => Promise<boolean>): Promise<void> {
  const context = Context.current();
  const deadline = performance.now() + LONGEST_MS;
  while (performance.now() < deadline && (await isBurst())) {
    context.heartbeat();
    await context.sleep(LOOK_MS);
  }
}

/** Lets captures go before the work that they make: the named activities of a group begin when no flood is shown. */
export function deferDuringBurst<Group extends object>(
  group: Group & Record<keyof Group, Activity>,
  names: readonly (keyof Group & string)[],
  isBurst: () => Promise<boolean>,
): Group {
  const wrapped = names.map((name) => {
    const activity: Activity = group[name];
    return [
      name,
      async (input: never): Promise<unknown> => {
        await untilCalm(isBurst);
        return activity(input);
      },
    ];
  });
  return Object.assign({}, group, Object.fromEntries(wrapped));
}
