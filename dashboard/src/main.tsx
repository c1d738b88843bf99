import { render } from 'preact';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/overview.css';
import './styles/campaign.css';
import './styles/edit.css';
import 'uplot/dist/uPlot.min.css';
import { App } from './app.tsx';
import { startLive } from './live/live-socket.ts';
import { startTheme } from './theme-choice.ts';

startTheme();
startLive();
const root = document.getElementById('app');
if (root === null) throw new Error('the page has no place for the app');
render(<App />, root);
