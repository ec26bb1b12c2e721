/** Light or dark: as the system has it, until a person chooses; the choice is kept in this browser. */

import { fill, s } from "./dom.js";

const KEY = "streamed-events.theme";

/** Set the theme at once, and let `button` change it. */
export function theme(button) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = stored();
  const show = () => {
    const dark = chosen ? chosen === "dark" : system.matches;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    button.ariaLabel = button.title = dark ? "Use light colours" : "Use dark colours";
    fill(button, dark ? sun() : moon());
  };
  button.addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    keep(chosen);
    show();
  });
  system.addEventListener("change", show);
  show();
}

/** What was chosen; null if nothing was, or storage is switched off: it then follows the system. */
function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function keep(choice) {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    /* it then lasts as long as the page */
  }
}

const icon = (...shapes) =>
  s(
    "svg",
    {
      viewBox: "0 0 20 20",
      width: 18,
      height: 18,
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.6,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
      "aria-hidden": "true",
    },
    shapes,
  );
const moon = () => icon(s("path", { d: "M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7Z" }));
const sun = () =>
  icon(
    s("circle", { cx: 10, cy: 10, r: 3.4 }),
    s("path", {
      d: "M10 2.2v1.6M10 16.2v1.6M2.2 10h1.6M16.2 10h1.6M4.5 4.5l1.1 1.1M14.4 14.4l1.1 1.1M4.5 15.5l1.1-1.1M14.4 5.6l1.1-1.1",
    }),
  );
