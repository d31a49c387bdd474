import { effect } from '@preact/signals';
import { render } from 'preact';
import './style/tokens.css';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';
import './style/pages.css';
import './style/operations.css';
import './style/learnings.css';
import './style/search.css';
import './style/graph.css';
import './style/session.css';
import './style/timeline.css';
import './style/print.css';
import { settings } from './settings.ts';
import { App } from './shell/app.tsx';
// The start page comes with the first script.
import './pages/sessions/page.tsx';

effect(() => {
  const { language, theme } = settings.value;
  const { documentElement } = document;
  documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  if (theme === 'system') delete documentElement.dataset['theme'];
  else documentElement.dataset['theme'] = theme;
});

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
