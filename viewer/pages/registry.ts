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
  /** Words by which the palette finds it besides its name. */
  readonly words?: string;
  /** `g` and this letter show the page. Pages without a letter are not in the navigation. */
  readonly letter?: string;
  /** Scope without which the page is not offered. */
  readonly scope: Me['scopes'][number];
  /** Offered to operators only. */
  readonly forOperators?: boolean;
  readonly load: () => Promise<{ readonly default: ComponentType<PageProps> }>;
}

/** Every page, in the order of the navigation; the first one is the start. Each is loaded when it is shown or its link is approached; the start comes with the first script (`main.tsx`). */
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
    path: '/search',
    name: { en: 'Search', zh: '搜索' },
    letter: 'f',
    scope: 'read',
    load: () => import('./search/page.tsx'),
  },
  {
    path: '/learnings',
    name: { en: 'Learnings', zh: '经验' },
    letter: 'l',
    scope: 'read',
    load: () => import('./learnings/page.tsx'),
  },
  {
    path: '/learnings/:id',
    name: { en: 'Learning', zh: '经验' },
    scope: 'read',
    load: () => import('./learnings/learning.tsx'),
  },
  {
    path: '/context',
    name: { en: 'Context', zh: '上下文' },
    letter: 'x',
    scope: 'read',
    load: () => import('./context/page.tsx'),
  },
  {
    path: '/graph',
    name: { en: 'Graph', zh: '图谱' },
    letter: 'r',
    scope: 'read',
    load: () => import('./graph/page.tsx'),
  },
  {
    path: '/costs',
    name: { en: 'Costs', zh: '费用' },
    letter: 'c',
    scope: 'read',
    load: () => import('./costs/page.tsx'),
  },
  {
    path: '/jobs',
    name: { en: 'Jobs', zh: '任务' },
    letter: 'j',
    scope: 'read',
    load: () => import('./jobs/page.tsx'),
  },
  {
    path: '/keep',
    name: { en: 'Backups & data', zh: '备份与数据' },
    words:
      'keep backup restore drill retention policy legal hold archive export import erasure gdpr consistency 恢复 保留 导出 导入 删除',
    letter: 'k',
    scope: 'read',
    load: () => import('./keep/page.tsx'),
  },
  {
    path: '/projects',
    name: { en: 'Projects', zh: '项目' },
    letter: 'p',
    scope: 'read',
    load: () => import('./projects/page.tsx'),
  },
  {
    path: '/projects/:id',
    name: { en: 'Project', zh: '项目' },
    scope: 'read',
    load: () => import('./projects/project.tsx'),
  },
  {
    path: '/people',
    name: { en: 'People', zh: '人员' },
    letter: 'u',
    scope: 'admin',
    load: () => import('./people/page.tsx'),
  },
  {
    path: '/tenants',
    name: { en: 'Tenants', zh: '租户' },
    letter: 'n',
    scope: 'admin',
    forOperators: true,
    load: () => import('./tenants/page.tsx'),
  },
  {
    path: '/settings',
    name: { en: 'Settings', zh: '设置' },
    letter: 'o',
    scope: 'read',
    load: () => import('./settings/page.tsx'),
  },
];
