/** The button that turns from the system's theme to light and to dark. */
import { useState } from 'preact/hooks';
import { keepTheme, keptTheme, THEMES } from './theme-choice.ts';
import { Icon } from './ui/icon.tsx';

const ICONS = { system: 'half', light: 'sun', dark: 'moon' } as const;

export function ThemeButton() {
  const [choice, setChoice] = useState(keptTheme);
  const next = THEMES[(THEMES.indexOf(choice) + 1) % THEMES.length] ?? 'system';
  const turn = () => {
    keepTheme(next);
    setChoice(next);
  };
  return (
    <button
      type="button"
      class="button quiet slim"
      aria-label={`Theme: ${choice}. Change to ${next}`}
      title={`Theme: ${choice}`}
      onClick={turn}
    >
      <Icon name={ICONS[choice]} />
    </button>
  );
}
