/** The head of the page, alive: the views, the connection, what needs attention. */

import { announce } from "./announce.js";
import { fill, h, setText } from "./dom.js";
import { many } from "./format.js";
import { address } from "./router.js";

/** Draw the navigation; returns what marks the view that is shown. */
export function navigation(container, views) {
  const links = views.map((view) => h("a", { href: `#/${view.name}` }, view.label));
  const events = h("a", { href: "/asyncapi" }, "Events");
  fill(
    container,
    h(
      "ul",
      [...links, events].map((link) => h("li", link)),
    ),
  );
  return (view) =>
    links.forEach((link, i) => {
      link.ariaCurrent = views[i] === view ? "page" : null;
    });
}

/** Say whether what is shown is now. */
export function connection(container, live) {
  const show = () => {
    container.dataset.state = live.state;
    setText(container, live.state === "live" ? "live" : `${live.state}…`);
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
  const badge = h(
    "button.needs-button",
    { type: "button", popovertarget: "needs-list" },
    "Nothing needs attention",
  );
  const items = h("ul");
  const list = h(
    "div.needs-list",
    { id: "needs-list", popover: true, role: "region", "aria-label": "What needs attention" },
    h("h2", "What needs attention"),
    items,
  );
  fill(container, badge, list);
  addEventListener("hashchange", () => list.hidePopover());
  let listed = null;
  live.on("snapshot", ({ needsPerson }) => {
    const number = needsPerson.length;
    if (JSON.stringify(needsPerson) === JSON.stringify(listed)) return;
    if (listed && number > listed.length)
      announce(
        `${many(number, "item needs", "items need")} attention: ${needsPerson.at(-1).sentence}`,
      );
    listed = needsPerson;
    badge.classList.toggle("some", number > 0);
    const need = number === 1 ? "needs" : "need";
    setText(badge, number ? `▲ ${number} ${need} attention` : "Nothing needs attention");
    const nothing = h("li.muted", "Everything moves by itself.");
    fill(items, number ? needsPerson.map((each) => item(each, context.map)) : nothing);
  });
}

function item({ node, sentence }, map) {
  const shown = map?.byId.get(node);
  const link =
    shown?.kind === "dead-letter queue"
      ? h("a", { href: address("dead-letters", shown.name) }, "Read them")
      : h("a", { href: address("map", node) }, "On the map");
  return h("li", h("b", shown?.name ?? node), h("span", `${sentence} `), link);
}
