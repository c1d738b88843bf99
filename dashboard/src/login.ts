/** The page that asks for a token: plain HTML that works without this; it takes the theme over and puts the cursor in place. */
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/login.css';
import { startTheme } from './theme-choice.ts';

startTheme();
document.getElementById('token')?.focus();
