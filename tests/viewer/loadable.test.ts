import { expect, test, vi } from 'vitest';
import type { StreamEvent } from '../../viewer/contract/index.ts';
import { Loadable, on } from '../../viewer/link/loadable.ts';

test('shows the data beside the error of a further page, and loads them again on demand', async () => {
  let answers = 0;
  const loadable = new Loadable(() => Promise.resolve((answers += 1)));
  const end = loadable.use(() => false);
  await loadable.load();
  loadable.fail(new Error('page 2'));
  expect(loadable.state.value).toMatchObject({ data: 1, error: { message: 'page 2' } });
  await loadable.load();
  expect(loadable.state.value).toMatchObject({ data: 2, error: null });
  end();
});

test('reports once that the page changed the data, not after events', async () => {
  const reported: boolean[] = [];
  const loadable = new Loadable((_, isChanged) => Promise.resolve(reported.push(isChanged)));
  await loadable.load();
  loadable.invalidate(true);
  loadable.invalidate();
  await loadable.load();
  await loadable.load();
  expect(reported).toEqual([false, true, false]);
});

test('does not load once more for what was loaded before its time came', async () => {
  vi.useFakeTimers();
  try {
    let loads = 0;
    const loadable = new Loadable(() => Promise.resolve((loads += 1)));
    loadable.use(on('session.created'));
    await loadable.load();
    loadable.hear({ type: 'session.created' } as StreamEvent);
    await loadable.load();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(loads).toBe(2);
  } finally {
    vi.useRealTimers();
  }
});

test('shows a further page that came while the rows were loaded again, and loads them once more', async () => {
  vi.useFakeTimers();
  try {
    const answers: ((rows: readonly number[]) => void)[] = [];
    const loadable = new Loadable<readonly number[]>(() => new Promise((resolve) => answers.push(resolve)));
    loadable.use(() => false);
    answers[0]?.([1, 2]);
    await loadable.load();
    loadable.invalidate(true);
    const loads = loadable.load();
    loadable.set([0, 1, 2]);
    answers[1]?.([1, 2, 3]);
    await loads;
    expect(loadable.state.value).toMatchObject({ data: [0, 1, 2], isLoading: false });
    await vi.advanceTimersByTimeAsync(10_000);
    answers[2]?.([0, 1, 2, 3]);
    await loadable.load();
    expect(loadable.state.value.data).toEqual([0, 1, 2, 3]);
  } finally {
    vi.useRealTimers();
  }
});
