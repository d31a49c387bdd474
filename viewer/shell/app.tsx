import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { asAskError } from '../link/ask.ts';
import type { AskError } from '../link/ask.ts';
import { loadMe, me } from '../link/me.ts';
import { startSignIn } from '../link/sign-in.ts';
import { closeStream, isReached, linkState, openStream } from '../link/stream.ts';
import { SignIn } from '../pages/sign-in/page.tsx';
import { Banner } from '../parts/banner.tsx';
import { ErrorNote } from '../parts/states.tsx';
import { Toasts } from '../parts/toast.tsx';
import { followLinks, navigate } from '../router/router.ts';
import { settings } from '../settings.ts';
import { common } from '../texts/common.ts';
import { inLanguage } from '../texts/language.ts';
import { KeyList } from './key-list.tsx';
import { handleKey, useKeys } from './keys.ts';
import { Navigation, offeredPages } from './navigation.tsx';
import { Outlet, isOutdated, loadAhead } from './outlet.tsx';
import { Palette } from './palette.tsx';

type Open = 'palette' | 'keys' | null;

/** Goes to the first field of the page. */
function focusFilter(): void {
  document.querySelector<HTMLElement>('main input, main select')?.focus();
}

/** The messages above every page. */
function Banners(): JSX.Element {
  const t = inLanguage(common);
  return (
    <>
      {linkState.value === 'lost' || !isReached.value ? <Banner kind="bad">{t.lost}</Banner> : null}
      {isOutdated.value ? (
        <Banner kind="warn">
          {t.newVersion}{' '}
          <button type="button" onClick={() => location.reload()}>
            {t.reload}
          </button>
        </Banner>
      ) : null}
    </>
  );
}

/** The shell with the page of the address, for a user who is signed in. */
function SignedIn(): JSX.Element {
  const t = inLanguage(common);
  const [open, setOpen] = useState<Open>(null);
  const { language } = settings.value;
  const keys = useMemo(
    () => ({
      'Control+k': { text: t.openPalette, run: () => setOpen('palette') },
      '?': { text: t.showKeys, run: () => setOpen('keys') },
      '/': { text: t.filterKey, run: focusFilter },
      ...Object.fromEntries(
        offeredPages().map((page) => [
          `g ${page.letter ?? ''}`,
          { text: t.goTo(page.name[language]), run: () => navigate(page.path) },
        ]),
      ),
    }),
    [t, language],
  );
  useKeys(keys, true);
  useEffect(() => {
    openStream();
    return closeStream;
  }, []);
  return (
    <>
      <a class="skip" href="#content">
        {t.skip}
      </a>
      <Navigation onPalette={() => setOpen('palette')} onKeys={() => setOpen('keys')} />
      <Banners />
      <main id="content" tabIndex={-1}>
        <Outlet />
      </main>
      {open === 'palette' ? <Palette onClose={() => setOpen(null)} /> : null}
      {open === 'keys' ? <KeyList onClose={() => setOpen(null)} /> : null}
    </>
  );
}

/** The viewer: the sign-in, or the page of the address. */
export function App(): JSX.Element {
  const [error, setError] = useState<AskError | null>(null);
  const start = (): void => {
    setError(null);
    startSignIn()
      .then(() => loadMe())
      .catch((fault: unknown) => setError(asAskError(fault)));
  };
  useEffect(() => {
    start();
    document.addEventListener('keydown', handleKey);
    document.addEventListener('click', followLinks);
    document.addEventListener('pointerover', loadAhead);
    document.addEventListener('focusin', loadAhead);
    return () => {
      document.removeEventListener('keydown', handleKey);
      document.removeEventListener('click', followLinks);
      document.removeEventListener('pointerover', loadAhead);
      document.removeEventListener('focusin', loadAhead);
    };
  }, []);
  const user = me.value;
  return (
    <>
      {error !== null ? (
        <main>
          <ErrorNote error={error} onRetry={start} />
        </main>
      ) : user === undefined ? null : user === null ? (
        <SignIn />
      ) : (
        <SignedIn key={user.user.id} />
      )}
      <Toasts />
    </>
  );
}
