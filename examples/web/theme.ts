const KEY = 'theme';

/** Lets a button change between the dark and the light theme; until it is pressed, the system decides. */
export function setUpTheme(button: HTMLElement, name: HTMLElement): void {
  const { documentElement: root } = document;
  const system = matchMedia('(prefers-color-scheme: dark)');
  const isDark = (): boolean => (root.dataset['theme'] ?? (system.matches ? 'dark' : 'light')) === 'dark';
  const tell = (): void => {
    name.textContent = isDark() ? 'Light theme' : 'Dark theme';
  };
  const kept = localStorage.getItem(KEY);
  if (kept === 'dark' || kept === 'light') root.dataset['theme'] = kept;
  tell();
  system.addEventListener('change', tell);
  button.addEventListener('click', () => {
    const theme = isDark() ? 'light' : 'dark';
    root.dataset['theme'] = theme;
    localStorage.setItem(KEY, theme);
    tell();
  });
}
