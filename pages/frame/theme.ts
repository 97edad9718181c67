import { button } from './element.ts';

const themes = ['auto', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];

const names: Readonly<Record<Theme, string>> = { auto: '◐ auto', light: '☀ light', dark: '☾ dark' };

function stored(): Theme {
  const found = localStorage.getItem('theme');
  return themes.find((theme) => theme === found) ?? 'auto';
}

/** The choice between light, dark and what the system has; `onChange` also when the system changes. */
export function themeButton(onChange: () => void): HTMLElement {
  let theme = stored();
  const made = button('', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto';
    localStorage.setItem('theme', theme);
    show();
    onChange();
  });
  const show = (): void => {
    made.textContent = names[theme];
    if (theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  };
  made.className = 'theme';
  made.title = 'Colours: as the system, light or dark';
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
  show();
  return made;
}
