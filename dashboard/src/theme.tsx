/** Light, dark, or as the system has it; kept for this browser. */
import { useState } from 'preact/hooks';
import { Icon } from './ui/icon.tsx';

const CHOICES = ['system', 'light', 'dark'] as const;
type Choice = (typeof CHOICES)[number];
const KEY = 'pacer-theme';
const ICONS = { system: 'half', light: 'sun', dark: 'moon' } as const;
const system = matchMedia('(prefers-color-scheme: dark)');

function readChoice(): Choice {
  const kept = localStorage.getItem(KEY);
  return CHOICES.find((choice) => choice === kept) ?? 'system';
}

function apply(choice: Choice): void {
  const isDark = choice === 'dark' || (choice === 'system' && system.matches);
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  dispatchEvent(new Event('themechange'));
}

/** Before the first paint. */
export function startTheme(): void {
  apply(readChoice());
  system.addEventListener('change', () => apply(readChoice()));
}

export function ThemeButton() {
  const [choice, setChoice] = useState(readChoice);
  const next = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length] ?? 'system';
  const turn = () => {
    localStorage.setItem(KEY, next);
    setChoice(next);
    apply(next);
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
