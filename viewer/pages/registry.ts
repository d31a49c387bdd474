import type { ComponentType } from 'preact';
import type { Me } from '../contract/index.ts';
import type { PathParts } from '../router/match.ts';

export interface PageProps {
  /** Parts that the path names, such as `id` of `/sessions/:id`. */
  readonly parts: PathParts;
}

export interface Page {
  /** Pattern of its address, such as `/sessions/:id`. */
  readonly path: string;
  readonly name: { readonly en: string; readonly zh: string };
  /** `g` and this letter show the page. Pages without a letter are not in the navigation. */
  readonly letter?: string;
  /** Scope without which the page is not offered. */
  readonly scope: Me['scopes'][number];
  /** Offered to operators only. */
  readonly forOperators?: boolean;
  readonly load: () => Promise<{ readonly default: ComponentType<PageProps> }>;
}

/** Every page, in the order of the navigation; the first one is the start. Each is loaded when it is shown. */
export const PAGES: readonly Page[] = [
  {
    path: '/sessions',
    name: { en: 'Sessions', zh: '会话' },
    letter: 's',
    scope: 'read',
    load: () => import('./sessions/page.tsx'),
  },
  {
    path: '/sessions/:id',
    name: { en: 'Session', zh: '会话' },
    scope: 'read',
    load: () => import('./session/page.tsx'),
  },
  {
    path: '/timeline',
    name: { en: 'Timeline', zh: '时间线' },
    letter: 't',
    scope: 'read',
    load: () => import('./timeline/page.tsx'),
  },
  {
    path: '/context',
    name: { en: 'Context', zh: '上下文' },
    letter: 'x',
    scope: 'read',
    load: () => import('./context/page.tsx'),
  },
];
