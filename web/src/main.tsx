import { render } from 'preact';
import { App } from './app.tsx';
import { followLinks } from './route.ts';
import { startSession } from './start.ts';

followLinks();
const root = document.getElementById('page');
if (root !== null) render(<App />, root);
void startSession();
