import { signal } from '@preact/signals';

const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];
const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

interface Settings {
  readonly language: Language;
  readonly theme: Theme;
  /** Whether single keys are shortcuts; WCAG 2.1.4 requires a switch. */
  readonly singleKeys: boolean;
}

/** The theme script of index.html reads the same name. */
const NAME = 'recollect.settings';

function stored(): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(NAME) ?? '{}');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // Without storage, or with a damaged entry, the defaults apply.
    return {};
  }
}

function initial(): Settings {
  const { language, theme, singleKeys } = stored();
  const preferred = navigator.language.startsWith('zh') ? 'zh' : 'en';
  return {
    language: LANGUAGES.find((known) => known === language) ?? preferred,
    theme: THEMES.find((known) => known === theme) ?? 'system',
    singleKeys: singleKeys !== false,
  };
}

/** Settings of this browser. */
export const settings = signal<Settings>(initial());

/** Changes settings and stores them for this browser. */
export function changeSettings(change: Partial<Settings>): void {
  settings.value = { ...settings.value, ...change };
  try {
    localStorage.setItem(NAME, JSON.stringify(settings.value));
  } catch {
    // Without storage the change applies until the page is closed.
  }
}
