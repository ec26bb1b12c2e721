/** The head of the page, alive: the views, the connection, what needs attention. */

import { announce } from "./announce.js";
import { fill, h, setAttribute, setText } from "./dom.js";
import { many } from "./format.js";

/** Draw the navigation; returns what marks the view that is shown. */
export function navigation(container, views) {
  const links = views.map((view) => h("a", { href: `#/${view.name}`, text: view.label }));
  fill(
    container,
    h(
      "ul",
      {},
      links.map((link) => h("li", {}, link)),
      h("li", {}, h("a", { href: "/asyncapi", text: "Events" })),
    ),
  );
  return (view) =>
    links.forEach((link, i) =>
      setAttribute(link, "aria-current", views[i] === view ? "page" : null),
    );
}

/** Say whether what is shown is now. */
export function connection(container, live) {
  const words = { connecting: "connecting…", live: "live", reconnecting: "reconnecting…" };
  const show = () => {
    container.dataset.state = live.state;
    setText(container, words[live.state]);
  };
  live.on("state", show);
  show();
}

/** Say what the console itself cannot reach, until it says something else or recovers. */
export function trouble(container, live) {
  let until = 0;
  live.on("trouble", ({ sentence }) => {
    setText(container, sentence);
    container.hidden = !sentence;
    until = performance.now() + 5000;
  });
  live.on("snapshot", () => {
    if (performance.now() > until) container.hidden = true;
  });
}

/** The badge that lists what needs attention. */
export function needs(container, live, context) {
  const button = h("button", {
    type: "button",
    class: "needs-button",
    "aria-expanded": "false",
    "aria-controls": "needs-list",
    text: "Nothing needs attention",
  });
  const items = h("ul", {});
  const list = h(
    "div",
    {
      class: "needs-list",
      id: "needs-list",
      role: "region",
      "aria-label": "What needs attention",
      hidden: true,
    },
    h("h2", { text: "What needs attention" }),
    items,
  );
  fill(container, h("div", { class: "needs" }, button, list));
  let announced = "";
  const open = (yes) => {
    list.hidden = !yes;
    button.setAttribute("aria-expanded", String(yes));
  };
  button.addEventListener("click", () => open(list.hidden));
  container.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      open(false);
      button.focus();
    }
  });
  addEventListener("click", (event) => {
    if (!container.contains(event.target)) open(false);
  });
  addEventListener("hashchange", () => open(false));
  live.on("snapshot", ({ needsPerson = [] }) => {
    const now = JSON.stringify(needsPerson);
    if (now === announced) return;
    if (announced && needsPerson.length > JSON.parse(announced).length)
      announce(
        `${many(needsPerson.length, "item needs", "items need")} attention: ${needsPerson.at(-1).sentence}`,
      );
    announced = now;
    button.classList.toggle("some", needsPerson.length > 0);
    setText(
      button,
      needsPerson.length
        ? `▲ ${needsPerson.length} need${needsPerson.length === 1 ? "s" : ""} attention`
        : "Nothing needs attention",
    );
    fill(
      items,
      needsPerson.length
        ? needsPerson.map((each) => need(each, context))
        : h("li", { class: "muted", text: "Everything moves by itself." }),
    );
  });
}

function need({ node, sentence }, context) {
  const shown = context.map?.byId.get(node);
  const holdsDeadLetters = shown?.kind === "dead-letter queue";
  return h(
    "li",
    {},
    h("b", { text: shown?.name ?? node ?? "The console" }),
    h("span", { text: `${sentence} ` }),
    holdsDeadLetters
      ? h("a", {
          href: `#/dead-letters/${encodeURIComponent(shown.name)}`,
          text: "Read them",
        })
      : h("a", { href: `#/map/${encodeURIComponent(node ?? "")}`, text: "On the map" }),
  );
}
