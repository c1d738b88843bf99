/** Light, dark, or as the system has it; kept for this browser. */
export const THEMES = ['system', 'light', 'dark'] as const;
export type ThemeChoice = (typeof THEMES)[number];

const KEY = 'pacer-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

export function keptTheme(): ThemeChoice {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((choice) => choice === kept) ?? 'system';
}

export function keepTheme(choice: ThemeChoice): void {
  localStorage.setItem(KEY, choice);
  apply(choice);
}

/** Before the first paint. */
export function startTheme(): void {
  apply(keptTheme());
  system.addEventListener('change', () => apply(keptTheme()));
}

function apply(choice: ThemeChoice): void {
  const isDark = choice === 'dark' || (choice === 'system' && system.matches);
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  dispatchEvent(new Event('themechange'));
}
