/** Replay: what a bus carried in a range of time, once more. Preview first, then watch. */

import { announce } from "../announce.js";
import { fill, h } from "../dom.js";
import { clock, count, many } from "../format.js";
import { button, doing, field, intro, problem, table, work } from "../parts.js";
import { createProgress } from "./progress.js";

const RANGES = { "Last 15 min": "15m ago", "Last hour": "1h ago", "Last 24 h": "24h ago" };

export const replay = { name: "replay", label: "Replay", mount };

function mount(root, { api, live, map }, wanted) {
  const errors = h("div");
  const names = map.nodes.filter((node) => node.kind === "bus").map((node) => node.name);
  const bus = h(
    "select",
    { name: "bus" },
    names.map((name) => h("option", { selected: name === wanted }, name)),
  );
  const from = h("input.mono", { name: "from", value: "1h ago", autocomplete: "off" });
  const to = h("input.mono", { name: "to", value: "now", autocomplete: "off" });
  const about = h("p.muted.small");
  const rules = createRules();
  const shown = h("div.decision", { hidden: true });
  const submit = h("button.primary", "Preview replay");
  const progress = createProgress(api, live);
  let known = null;

  const choose = (range) => () => {
    from.value = range;
    to.value = "now";
  };
  const form = h(
    "form.stack",
    {
      onsubmit: (event) => {
        event.preventDefault();
        work(submit, preview, errors, "Counting…");
      },
    },
    h(
      "div.fields",
      field("Bus", bus, { wide: true }),
      field("From", from, { hint: "15m ago, 2h ago, or 2026-11-23T09:00:00Z" }),
      field("To", to, { hint: "now, or as From" }),
    ),
    h(
      "div.buttons",
      { role: "group", "aria-label": "Quick choices" },
      Object.entries(RANGES).map(([label, range]) => button(label, choose(range), ".tiny")),
    ),
    about,
    rules.element,
    h("div.buttons", submit),
  );
  fill(
    root,
    intro(
      "Replay",
      "A bus’s archive sends again what it carried. Handlers see each event a second time, and do nothing twice.",
    ),
    h(
      "div.columns.halves",
      h("section.card", { "aria-label": "What to replay" }, form, errors, shown),
      progress.element,
    ),
  );

  function describe() {
    const one = known?.buses.find((each) => each.bus === bus.value);
    if (!one) return;
    const kept = one.retentionDays ? `, kept for ${many(one.retentionDays, "day")}` : "";
    about.textContent = `Archive ${one.archive}${kept}.`;
    rules.show(one.rules, known.rulesAllowed, known.rulesWhyNot);
  }

  async function preview() {
    const wish = { bus: bus.value, from: from.value.trim(), to: to.value.trim() };
    const found = await api.post("/api/replays/preview", { ...wish, rules: rules.chosen() });
    const leave = () => {
      shown.hidden = true;
    };
    const start = async () => {
      const begun = await api.post("/api/replays", { preview: found.preview });
      leave();
      progress.show(begun, true);
      announce(`Replay ${begun.name} started`);
    };
    fill(shown, previewed(found, start, leave));
    shown.hidden = false;
    shown.querySelector("h3").focus();
  }

  bus.onchange = describe;
  api.get("/api/replays").then(
    (all) => {
      known = all;
      describe();
      all.replays.forEach((each) => progress.show(each));
    },
    (error) => fill(errors, problem(error)),
  );
  return progress.end;
}

/** What would come, and the button that lets it. */
function previewed({ bus, from, to, rules, events, total, notes }, start, leave) {
  const errors = h("div");
  const [since, until] = [from, to].map((at) => clock(at, { milliseconds: false }));
  const receivers = rules.length ? rules.join(", ") : "every rule of the bus";
  const counts = table("Events that would be replayed", ["Event", ["Count", "number"]]);
  counts.show(
    Object.entries(events).map(([type, number]) => [type, count(number)]),
    "The bus carried nothing then.",
  );
  const options = { kind: ".primary", working: "Starting…" };
  return [
    h("h3", { tabindex: "-1" }, `Preview: ${many(total, "event")} from ${bus}`),
    h("p.muted", `From ${since} to ${until}, to ${receivers}`),
    counts.element,
    notes.map((note) => h("p.note.small", note)),
    h(
      "div.buttons",
      total > 0 && doing("Start replay", start, errors, options),
      button("Leave it", leave),
    ),
    errors,
  ];
}

/** Which rules get it: only where the archive can choose between them. */
function createRules() {
  const element = h("div");
  let boxes = [];
  return {
    element,
    chosen: () => boxes.filter((box) => box.checked).map((box) => box.value),
    show(names, allowed, whyNot) {
      boxes = allowed ? names.map((name) => h("input", { type: "checkbox", value: name })) : [];
      const choice = h(
        "fieldset",
        h("legend", "Only these rules (none: all of them)"),
        h(
          "div.buttons",
          boxes.map((box) => h("label.check", box, box.value)),
        ),
      );
      fill(element, allowed ? choice : h("p.note.small", whyNot));
    },
  };
}
