/** Break it, in development: stop things, refuse things, poison things, and watch that nothing gets lost. */

import { announce } from "../announce.js";
import { fill, h } from "../dom.js";
import { doing, field, intro, problem } from "../parts.js";
import { createStrip } from "./strip.js";

const POISON = ["not JSON", "wrong version", "missing field"];

export const breakIt = { name: "break", label: "Break it", mount };

function mount(root, { api, live, map }) {
  const container = h("div", { class: "stack" }, h("p", { class: "muted", text: "Looking…" }));
  const strip = createStrip(live, map);
  fill(
    root,
    intro(
      "Break it",
      "Stop a relay or a consumer, make the buses refuse, send poison: and watch that nothing gets lost.",
    ),
    container,
  );
  api
    .about()
    .then(async ({ breaking }) => {
      if (!breaking.enabled) {
        fill(
          container,
          h(
            "div",
            { class: "card" },
            h("h2", { text: "Breaking is switched off" }),
            h("p", { text: breaking.why }),
          ),
        );
        return;
      }
      const tools = createTools(api, map);
      fill(container, h("div", { class: "break-columns" }, tools.element, strip.element));
      tools.show(await api.get("/api/breaking"));
    })
    .catch((error) => fill(container, problem(error)));
  return strip.end;
}

function createTools(api, map) {
  const processes = h("ul", { class: "processes" });
  const bus = h("div", { class: "stack" });
  const poison = createPoison(api);
  let drawn = "";

  function show(now) {
    const text = JSON.stringify(now.processes) + now.bus.refusing;
    if (text !== drawn) {
      const focused = document.activeElement?.dataset?.for;
      drawn = text;
      fill(
        processes,
        now.processes.map((process) => processRow(api, process, map, show)),
      );
      fill(bus, refusing(api, now.bus.refusing, show));
      if (focused) document.querySelector(`[data-for="${CSS.escape(focused)}"]`)?.focus();
    }
    poison.offer(now.poisonQueues);
  }

  return {
    show,
    element: h(
      "div",
      { class: "stack" },
      h(
        "section",
        { class: "card" },
        h("h2", { text: "Processes" }),
        h("p", {
          class: "muted",
          text: "What a stopped one would have done waits: in its outbox, or in its queue.",
        }),
        processes,
      ),
      h("section", { class: "card" }, h("h2", { text: "The buses" }), bus),
      h("section", { class: "card" }, h("h2", { text: "Poison" }), poison.element),
    ),
  };
}

function processRow(api, { name, node, running }, map, show) {
  const shown = map.byId.get(node);
  const errors = h("div", {});
  const action = running ? "Stop" : "Start";
  const button = doing(
    `${action} ${name}`,
    async () => {
      show(
        await api.post(`/api/breaking/processes/${encodeURIComponent(name)}`, { run: !running }),
      );
      announce(`${name} was ${running ? "stopped" : "started"}`);
    },
    {
      className: running ? "tiny" : "tiny primary",
      errors,
      working: running ? "Stopping…" : "Starting…",
    },
  );
  button.dataset.for = name;
  return h(
    "li",
    { class: `d${shown?.index ?? 0}` },
    h("span", {
      class: `shape ${running ? "ok" : "away"}`,
      "aria-hidden": "true",
      text: running ? "●" : "○",
    }),
    h(
      "span",
      { class: "process-name" },
      h("span", { class: "type", text: name }),
      h("span", { class: "muted small", text: running ? "runs" : "is stopped" }),
    ),
    button,
    errors,
  );
}

function refusing(api, refuses, show) {
  const errors = h("div", {});
  const button = doing(
    refuses ? "Let the buses accept" : "Make the buses refuse",
    async () => {
      show(await api.post("/api/breaking/bus", { refuse: !refuses }));
      announce(refuses ? "The buses accept again" : "The buses refuse every event");
    },
    { className: refuses ? "primary" : "danger", errors },
  );
  button.dataset.for = "the buses";
  return [
    h(
      "p",
      {},
      h("span", {
        class: `shape ${refuses ? "stuck" : "ok"}`,
        "aria-hidden": "true",
        text: refuses ? "▲" : "●",
      }),
      refuses
        ? " They refuse every event: outboxes hold what was committed."
        : " They accept events.",
    ),
    h("div", { class: "buttons" }, button),
    errors,
  ];
}

function createPoison(api) {
  const queue = h("select", { name: "queue" });
  const kind = h(
    "select",
    { name: "kind" },
    POISON.map((each) => h("option", { value: each, text: each })),
  );
  const said = h("div", {});
  const send = doing(
    "Send poison",
    async () => {
      const { sentence } = await api.post("/api/breaking/poison", {
        queue: queue.value,
        kind: kind.value,
      });
      fill(
        said,
        h(
          "p",
          { class: "note" },
          `${sentence} `,
          h("a", { href: "#/dead-letters", text: "Dead letters" }),
        ),
      );
      announce(sentence);
    },
    { className: "danger", errors: said, working: "Sending…" },
  );
  let offered = "";
  return {
    element: h(
      "div",
      { class: "stack" },
      h("p", {
        class: "muted",
        text: "A message that no consumer can ever handle. Its neighbours go on.",
      }),
      h("div", { class: "fields" }, field("Queue", queue), field("Kind", kind)),
      h("div", { class: "buttons" }, send),
      said,
    ),
    offer(queues) {
      const names = queues.map((each) => each.queue).join();
      if (names === offered) return;
      offered = names;
      fill(
        queue,
        queues.map((each) => h("option", { value: each.queue, text: each.queue })),
      );
    },
  };
}
