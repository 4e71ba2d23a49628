/**
 * What must be known before the first thing is painted: the theme and the size of captions that this browser keeps
 * (preferences.js). Runs before all else, and imports nothing.
 */
{
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  /** The ground of each theme, as style.css has it: for the browser's own frame around the page. */
  const grounds = { light: "#f7f6f2", dark: "#14181a" };

  const kept = () => {
    try {
      const found = JSON.parse(localStorage.getItem("preferences") ?? "{}");
      return found?.version === 1 ? found : {};
    } catch {
      return {};
    }
  };

  const show = () => {
    const chosen = kept();
    /** @type {"light" | "dark"} */
    const theme = chosen.theme === "light" || chosen.theme === "dark" ? chosen.theme : dark.matches ? "dark" : "light";
    root.dataset.theme = theme;
    root.dataset.captions = typeof chosen.captions === "string" ? chosen.captions : "medium";
    for (const frame of document.querySelectorAll("meta[name=theme-color]")) frame.setAttribute("content", grounds[theme]);
  };

  dark.addEventListener("change", show);
  addEventListener("storage", show); // chosen in another tab
  addEventListener("preferences", show); // chosen in this one
  show();
}
