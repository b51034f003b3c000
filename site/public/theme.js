// Before the first paint: the theme that was chosen here, if any.
try {
  const theme = localStorage.getItem('samebit-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {}
