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
import { App } from './shell/app.tsx';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
