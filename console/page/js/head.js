/** The head of the page, alive: the views, the connection, what needs a person. */

import { announce } from "./announce.js";
import { fill, h, setAttribute, setText } from "./dom.js";
import { many } from "./format.js";

/** Draw the navigation; returns what marks the view that is shown. */
export function navigation(place, views) {
  const links = views.map((view) => h("a", { href: `#/${view.name}`, text: view.label }));
  fill(
    place,
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
export function connection(place, live) {
  const words = { connecting: "connecting…", live: "live", reconnecting: "reconnecting…" };
  const show = () => {
    place.dataset.state = live.state;
    setText(place, words[live.state]);
  };
  live.on("state", show);
  show();
}

/** Say what the console itself cannot reach, until it says something else or recovers. */
export function trouble(place, live) {
  let until = 0;
  live.on("trouble", ({ sentence }) => {
    setText(place, sentence);
    place.hidden = !sentence;
    until = performance.now() + 5000;
  });
  live.on("snapshot", () => {
    if (performance.now() > until) place.hidden = true;
  });
}

/** The badge that lists what waits for a person. */
export function needs(place, live, context) {
  const button = h("button", {
    type: "button",
    class: "needs-button",
    "aria-expanded": "false",
    "aria-controls": "needs-list",
    text: "Nothing needs you",
  });
  const items = h("ul", {});
  const list = h(
    "div",
    {
      class: "needs-list",
      id: "needs-list",
      role: "region",
      "aria-label": "What needs you",
      hidden: true,
    },
    h("h2", { text: "What needs you" }),
    items,
  );
  fill(place, h("div", { class: "needs" }, button, list));
  let told = "";
  const open = (yes) => {
    list.hidden = !yes;
    button.setAttribute("aria-expanded", String(yes));
  };
  button.addEventListener("click", () => open(list.hidden));
  place.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) {
      open(false);
      button.focus();
    }
  });
  addEventListener("click", (event) => {
    if (!place.contains(event.target)) open(false);
  });
  addEventListener("hashchange", () => open(false));
  live.on("snapshot", ({ needsPerson = [] }) => {
    const now = JSON.stringify(needsPerson);
    if (now === told) return;
    if (told && needsPerson.length > JSON.parse(told).length)
      announce(
        `${many(needsPerson.length, "thing needs", "things need")} you: ${needsPerson.at(-1).sentence}`,
      );
    told = now;
    button.classList.toggle("some", needsPerson.length > 0);
    setText(
      button,
      needsPerson.length
        ? `▲ ${needsPerson.length} need${needsPerson.length === 1 ? "s" : ""} you`
        : "Nothing needs you",
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
  const place = context.map?.byId.get(node);
  const letters = place?.kind === "dead-letter queue";
  return h(
    "li",
    {},
    h("b", { text: place?.name ?? node ?? "The console" }),
    h("span", { text: `${sentence} ` }),
    letters
      ? h("a", { href: `#/dead-letters/${encodeURIComponent(place.name)}`, text: "Read them" })
      : h("a", { href: `#/map/${encodeURIComponent(node ?? "")}`, text: "On the map" }),
  );
}
