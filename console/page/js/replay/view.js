/** Replay: what a bus carried in a range of time, once more. Preview first, then watch. */

import { announce } from "../announce.js";
import { fill, h } from "../dom.js";
import { clock, count, many } from "../format.js";
import { doing, field, intro, problem, table, work } from "../parts.js";
import { createProgress } from "./progress.js";

const RANGES = [
  ["Last 15 min", "15m ago"],
  ["Last hour", "1h ago"],
  ["Last 24 h", "24h ago"],
];

export const replay = { name: "replay", label: "Replay", mount };

function mount(root, { api, live, map }, wanted) {
  const errors = h("div", {});
  const bus = h(
    "select",
    { name: "bus" },
    map.nodes
      .filter((node) => node.kind === "bus")
      .map((node) =>
        h("option", { value: node.name, text: node.name, selected: node.name === wanted }),
      ),
  );
  const from = h("input", { name: "from", class: "mono", value: "1h ago", autocomplete: "off" });
  const to = h("input", { name: "to", class: "mono", value: "now", autocomplete: "off" });
  const about = h("p", { class: "muted small" });
  const rules = createRules();
  const shown = h("div", { class: "decision", hidden: true });
  const button = h("button", { class: "primary", text: "Preview replay" });
  const progress = createProgress(api, live);
  let known = null;

  const form = h(
    "form",
    {
      class: "stack",
      on: {
        submit: (event) => {
          event.preventDefault();
          work(button, preview, errors, "Counting…");
        },
      },
    },
    h(
      "div",
      { class: "fields" },
      field("Bus", bus, { wide: true }),
      field("From", from, { hint: "15m ago, 2h ago, or 2026-11-23T09:00:00Z" }),
      field("To", to, { hint: "now, or as From" }),
    ),
    h(
      "div",
      { class: "buttons", role: "group", "aria-label": "Quick choices" },
      RANGES.map(([label, value]) =>
        h("button", {
          type: "button",
          class: "tiny",
          text: label,
          on: {
            click: () => {
              from.value = value;
              to.value = "now";
            },
          },
        }),
      ),
    ),
    about,
    rules.element,
    h("div", { class: "buttons" }, button),
  );
  fill(
    root,
    intro(
      "Replay",
      "A bus’s archive sends again what it carried. Handlers see each event a second time, and do nothing twice.",
    ),
    h(
      "div",
      { class: "break-columns" },
      h("section", { class: "card", "aria-label": "What to replay" }, form, errors, shown),
      progress.element,
    ),
  );

  function describe() {
    const one = known?.buses.find((each) => each.bus === bus.value);
    about.textContent = one
      ? `Archive ${one.archive}${one.retentionDays ? `, kept for ${many(one.retentionDays, "day")}` : ""}.`
      : "";
    if (one) rules.show(one.rules, known.rulesAllowed, known.rulesWhyNot);
  }

  async function preview() {
    const preview = await api.post("/api/replays/preview", {
      bus: bus.value,
      from: from.value.trim(),
      to: to.value.trim(),
      rules: rules.chosen(),
    });
    const title = h("h3", {
      tabindex: "-1",
      text: `Preview: ${many(preview.total, "event")} from ${preview.bus}`,
    });
    const problems = h("div", {});
    const start = async () => {
      const begun = await api.post("/api/replays", { preview: preview.preview });
      shown.hidden = true;
      progress.show(begun, true);
      announce(`Replay ${begun.name} started`);
    };
    const rows = Object.entries(preview.events).map(([type, number]) =>
      h("tr", {}, h("td", { text: type }), h("td", { class: "number", text: count(number) })),
    );
    fill(
      shown,
      title,
      h("p", {
        class: "muted",
        text: `From ${clock(preview.from, { milliseconds: false })} to ${clock(preview.to, { milliseconds: false })}${preview.rules?.length ? `, to ${preview.rules.join(", ")}` : ", to every rule of the bus"}`,
      }),
      table(
        "Events that would be replayed",
        ["Event", ["Count", "number"]],
        h(
          "tbody",
          {},
          rows.length
            ? rows
            : h(
                "tr",
                {},
                h("td", { colspan: 2, class: "empty", text: "The bus carried nothing then." }),
              ),
        ),
        { captionHidden: true },
      ),
      (preview.notes ?? []).map((note) => h("p", { class: "note small", text: note })),
      h(
        "div",
        { class: "buttons" },
        preview.total
          ? doing("Start replay", start, {
              className: "primary",
              errors: problems,
              working: "Starting…",
            })
          : null,
        h("button", {
          type: "button",
          text: "Leave it",
          on: {
            click: () => {
              shown.hidden = true;
            },
          },
        }),
      ),
      problems,
    );
    shown.hidden = false;
    title.focus();
  }

  bus.addEventListener("change", describe);
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

/** Which rules get it: only where the archive can choose between them. */
function createRules() {
  const element = h("div", {});
  let boxes = [];
  return {
    element,
    chosen: () => boxes.filter((box) => box.checked).map((box) => box.value),
    show(names, allowed, whyNot) {
      boxes = allowed ? names.map((name) => h("input", { type: "checkbox", value: name })) : [];
      fill(
        element,
        allowed
          ? h(
              "fieldset",
              {},
              h("legend", { text: "Only these rules (none: all of them)" }),
              h(
                "div",
                { class: "buttons" },
                boxes.map((box) => h("label", { class: "check" }, box, box.value)),
              ),
            )
          : whyNot
            ? h("p", { class: "note small", text: whyNot })
            : null,
      );
    },
  };
}
