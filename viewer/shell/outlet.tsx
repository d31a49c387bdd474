import { signal } from '@preact/signals';
import type { ComponentType, JSX } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { asAskError } from '../link/ask.ts';
import type { AskError } from '../link/ask.ts';
import { PAGES } from '../pages/registry.ts';
import type { Page, PageProps } from '../pages/registry.ts';
import { ErrorNote, Skeleton } from '../parts/states.tsx';
import { matchPath } from '../router/match.ts';
import type { PathParts } from '../router/match.ts';
import { path } from '../router/router.ts';
import { settings } from '../settings.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { mayShow } from './may-show.ts';

/** True once a file of this version is no longer on the server. */
export const isOutdated = signal(false);

addEventListener('vite:preloadError', (event) => {
  // The page stays with what was typed; the banner offers the reload.
  event.preventDefault();
  isOutdated.value = true;
});

/** Returns the page of a path with the parts of the path; null without one. */
function pageAt(at: string): { readonly page: Page; readonly parts: PathParts } | null {
  const first = PAGES[0];
  if (at === '/' && first !== undefined) return { page: first, parts: {} };
  for (const page of PAGES) {
    const parts = matchPath(page.path, at);
    if (parts !== null) return { page, parts };
  }
  return null;
}

/** Loads the page of a link that is pointed at or has the focus, so that it is here when the link is followed. */
export function loadAhead({ target }: Event): void {
  const link = target instanceof Element ? target.closest('a') : null;
  const page = link?.origin === location.origin ? pageAt(link.pathname)?.page : undefined;
  // A file that is missing was reported above; any other fault shows with the page.
  if (page !== undefined && mayShow(page)) page.load().catch(() => undefined);
}

const loaded = new Map<Page, ComponentType<PageProps>>();
const SLOW_MS = 150;

/** The page of the address. */
export function Outlet(): JSX.Element {
  const t = inLanguage(common);
  const found = pageAt(path.value);
  const page = found !== null && mayShow(found.page) ? found.page : null;
  const [error, setError] = useState<AskError | null>(null);
  const [isSlow, setIsSlow] = useState(false);
  const [, setLoadedAt] = useState(0);
  const load = (): (() => void) | undefined => {
    if (page === null || loaded.has(page)) return undefined;
    let isShown = true;
    setError(null);
    const slow = setTimeout(() => setIsSlow(true), SLOW_MS);
    page
      .load()
      .then((module) => {
        // A file that is missing resolves to nothing, since its error was handled.
        const component: ComponentType<PageProps> | undefined = module?.default;
        if (component !== undefined) loaded.set(page, component);
        if (isShown) setLoadedAt((count) => count + 1);
      })
      .catch((fault: unknown) => {
        if (isShown) setError(asAskError(fault));
      })
      .finally(() => {
        clearTimeout(slow);
        setIsSlow(false);
      });
    return () => {
      isShown = false;
      clearTimeout(slow);
    };
  };
  // Before the next frame, which an effect awaits.
  useLayoutEffect(load, [page]);
  useEffect(() => {
    document.title = page === null ? 'Recollect' : `${page.name[settings.value.language]} · Recollect`;
  }, [page, settings.value.language]);
  if (found === null)
    return (
      <div class="empty">
        <h1>{t.noPage}</h1>
        <a href="/">{t.home}</a>
      </div>
    );
  if (page === null)
    return (
      <div class="empty">
        <h1>{found.page.name[settings.value.language]}</h1>
        <p>{found.page.forOperators === true ? t.forOperators : t.needsScope(found.page.scope)}</p>
        <a href="/">{t.home}</a>
      </div>
    );
  const Shown = loaded.get(page);
  if (Shown !== undefined) return <Shown key={path.value} parts={found.parts} />;
  if (error !== null) return <ErrorNote error={error} onRetry={() => load()} />;
  return isSlow ? <Skeleton /> : <></>;
}
