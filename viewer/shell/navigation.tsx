import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { on } from '../link/loadable.ts';
import { me } from '../link/me.ts';
import { useResource } from '../link/resource.ts';
import { PAGES } from '../pages/registry.ts';
import type { Page } from '../pages/registry.ts';
import { path } from '../router/router.ts';
import { settings } from '../settings.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { mayShow } from './may-show.ts';

/** Returns the pages that the user may see in the navigation. */
export function offeredPages(): readonly Page[] {
  return PAGES.filter((page) => page.letter !== undefined && mayShow(page));
}

const concernsStuck = on('session.updated', 'task.completed', 'system.alert');

/** Number of stuck jobs; shown on every page. */
function Stuck(): JSX.Element | null {
  const t = inLanguage(common);
  const { data } = useResource('GET /jobs', { query: { state: 'stuck', limit: 1 } }, concernsStuck);
  const count = data?.pagination.total ?? 0;
  return count === 0 ? null : (
    <a class="stuck" href="/jobs?state=stuck">
      {t.stuck(count)}
    </a>
  );
}

/** Pages, stuck jobs, and the buttons for the palette and the keys. On narrow pages it is folded. */
export function Navigation(props: { readonly onPalette: () => void; readonly onKeys: () => void }): JSX.Element {
  const t = inLanguage(common);
  const { language } = settings.value;
  const current = path.value === '/' ? PAGES[0]?.path : path.value;
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    // The next page is read, not the menu.
    if (matchMedia('(max-width: 48rem)').matches) menu.current?.removeAttribute('open');
  }, [current]);
  return (
    <header class="shell-head">
      <a class="brand" href="/">
        Recollect
      </a>
      <details ref={menu} class="menu" open={!matchMedia('(max-width: 48rem)').matches}>
        <summary>{t.menu}</summary>
        <nav aria-label={t.pages}>
          <ul>
            {offeredPages().map((page) => (
              <li key={page.path}>
                <a href={page.path} aria-current={current?.startsWith(page.path) === true ? 'page' : undefined}>
                  {page.name[language]}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      </details>
      <Stuck />
      <div class="shell-tools">
        <button type="button" class="quiet" onClick={props.onPalette} title="Ctrl K">
          {t.palette}
        </button>
        <button type="button" class="quiet" onClick={props.onKeys} aria-label={t.showKeys} title="?">
          ?
        </button>
        <span class="who">{me.value?.user.username}</span>
      </div>
    </header>
  );
}
