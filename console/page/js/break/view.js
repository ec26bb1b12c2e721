/** Break it, in development: stop things, refuse things, poison things, and watch that nothing gets lost. */

import { announce } from "../announce.js";
import { fill, h } from "../dom.js";
import { doing, field, intro, problem, shape } from "../parts.js";
import { createStrip } from "./strip.js";

const POISON = ["not JSON", "wrong version", "missing field"];

export const breakIt = { name: "break", label: "Break it", mount };

function mount(root, { api, live, map }) {
  const container = h("div.stack", h("p.muted", "Looking…"));
  const strip = createStrip(live, map);
  fill(
    root,
    intro(
      "Break it",
      "Stop a relay or a consumer, make the buses refuse, send poison: and watch that nothing gets lost.",
    ),
    container,
  );
  const show = async () => {
    const { breaking } = await api.about();
    if (!breaking.enabled) {
      fill(container, h("div.card", h("h2", "Breaking is switched off"), h("p", breaking.why)));
      return;
    }
    const now = await api.get("/api/breaking");
    fill(container, h("div.columns.halves", tools(api, map, now), strip.element));
  };
  show().catch((error) => fill(container, problem(error)));
  return strip.end;
}

function tools(api, map, first) {
  const processes = h("ul.processes");
  const bus = h("div.stack");

  function show(now) {
    const focused = document.activeElement?.dataset.for;
    fill(
      processes,
      now.processes.map((process) => processRow(api, process, map, show)),
    );
    fill(bus, refusing(api, now.bus.refusing, show));
    if (focused) document.querySelector(`[data-for="${CSS.escape(focused)}"]`)?.focus();
  }

  show(first);
  return h(
    "div.stack",
    h(
      "section.card",
      h("h2", "Processes"),
      h("p.muted", "What a stopped one would have done waits: in its outbox, or in its queue."),
      processes,
    ),
    h("section.card", h("h2", "The buses"), bus),
    h("section.card", h("h2", "Poison"), poison(api, first.poisonQueues)),
  );
}

function processRow(api, { name, node, running }, map, show) {
  const errors = h("div");
  const change = async () => {
    show(await api.post(`/api/breaking/processes/${encodeURIComponent(name)}`, { run: !running }));
    announce(`${name} was ${running ? "stopped" : "started"}`);
  };
  const button = doing(`${running ? "Stop" : "Start"} ${name}`, change, errors, {
    kind: running ? ".tiny" : ".tiny.primary",
    working: running ? "Stopping…" : "Starting…",
  });
  button.dataset.for = name;
  return h(
    `li.d${map.byId.get(node)?.index ?? 0}`,
    shape(running ? "ok" : "away"),
    h(
      "span.process-name",
      h("span.type", name),
      h("span.muted.small", running ? "runs" : "is stopped"),
    ),
    button,
    errors,
  );
}

function refusing(api, refuses, show) {
  const errors = h("div");
  const change = async () => {
    show(await api.post("/api/breaking/bus", { refuse: !refuses }));
    announce(refuses ? "The buses accept again" : "The buses refuse every event");
  };
  const label = refuses ? "Let the buses accept" : "Make the buses refuse";
  const button = doing(label, change, errors, { kind: refuses ? ".primary" : ".danger" });
  button.dataset.for = "the buses";
  const words = refuses
    ? " They refuse every event: outboxes hold what was committed."
    : " They accept events.";
  return [h("p", shape(refuses ? "stuck" : "ok"), words), h("div.buttons", button), errors];
}

function poison(api, queues) {
  const options = (names) => names.map((name) => h("option", name));
  const queue = h("select", { name: "queue" }, options(queues.map((each) => each.queue)));
  const kind = h("select", { name: "kind" }, options(POISON));
  const said = h("div");
  const send = async () => {
    const wish = { queue: queue.value, kind: kind.value };
    const { sentence } = await api.post("/api/breaking/poison", wish);
    const link = h("a", { href: "#/dead-letters" }, "Dead letters");
    fill(said, h("p.note", `${sentence} `, link));
    announce(sentence);
  };
  const button = doing("Send poison", send, said, { kind: ".danger", working: "Sending…" });
  return h(
    "div.stack",
    h("p.muted", "A message that no consumer can ever handle. Its neighbours go on."),
    h("div.fields", field("Queue", queue), field("Kind", kind)),
    h("div.buttons", button),
    said,
  );
}
