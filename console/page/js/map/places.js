/** The nodes, as buttons that lie on the drawing: what a place is, how much waits there and how it does. */

import { h, setAttribute, setText } from "../dom.js";
import { age, count, rate } from "../format.js";
import { STATES } from "../parts.js";

/** How the kinds are called where there is little room. */
const SHORT = { "dead-letter queue": "DLQ", "log group": "log" };

/**
 * Make a button for every place of a drawing. @returns {{show: (snapshot: any) => void, buttons: Map<string, HTMLElement>}}
 */
export function drawPlaces(layer, model, drawing, chosen) {
  const parts = new Map();
  for (const place of model.places) {
    const box = drawing.boxes.get(place.id);
    if (!box) continue;
    const part = make(place, box.style, typesOf(model, place));
    part.button.addEventListener("click", () => chosen(place));
    for (const [side, value] of [
      ["left", box.x],
      ["top", box.y],
      ["width", box.w],
      ["height", box.h],
    ])
      part.button.style[side] = `${value}px`;
    parts.set(place.id, { place, ...part });
    layer.append(part.button);
  }
  return {
    buttons: new Map([...parts].map(([id, { button }]) => [id, button])),
    show: (snapshot) => {
      for (const part of parts.values()) show(part, snapshot);
    },
  };
}

/** What a rule lets pass, in words. */
export function typesOf(model, place) {
  if (place.kind !== "rule") return "";
  const types = new Set(
    model.edges
      .filter((edge) => edge.from === place.id && edge.kind === "delivers")
      .flatMap((edge) => edge.detailTypes),
  );
  return [...types].join(", ") || "every event";
}

function make(place, style, types) {
  const mark = h("span", { class: "shape" });
  const badge = h("span", { class: "badge" });
  const name = h(
    "span",
    { class: "place-name" },
    style === "chip" ? place.name : breakable(place.name),
  );
  const kind = h("span", { class: "place-kind", text: SHORT[place.kind] ?? place.kind });
  const button = h(
    "button",
    {
      type: "button",
      class: `place d${place.index} ${style} is-${place.kind.replaceAll(" ", "-")}`,
      title: place.name,
    },
    h(
      "span",
      { class: "place-head", "aria-hidden": "true" },
      kind,
      h("span", { class: "place-state" }, mark, badge),
    ),
    h(
      "span",
      { class: "place-body", "aria-hidden": "true" },
      name,
      types ? h("span", { class: "place-types" }, breakable(types)) : null,
    ),
  );
  return { style, button, mark, badge };
}

function show({ place, style, button, mark, badge }, { nodes, busRates }) {
  const now = nodes[place.id] ?? { state: "unknown", sentence: "nothing is known of it" };
  const speed = place.kind === "bus" ? (rate(busRates?.[place.name]) ?? "0/s") : null;
  setAttribute(button, "data-state", now.state);
  setAttribute(mark, "class", `shape ${now.state}`);
  setText(mark, STATES[now.state]?.shape ?? "?");
  setText(
    badge,
    speed ?? (style === "chip" && now.waiting ? count(now.waiting) : numbers(place, now)),
  );
  setAttribute(button, "data-empty", now.waiting ? null : "");
  setAttribute(
    button,
    "aria-label",
    `${place.kind} ${place.name}, ${place.domain}: ${STATES[now.state]?.word ?? now.state}. ${speed ? `${speed}. ` : ""}${now.sentence ?? ""}`,
  );
}

/** `3 · 0.4 s`: how many wait, and since when. */
export function numbers(place, { state, waiting, oldestSeconds }) {
  if (waiting === null || waiting === undefined)
    return state === "ok" || state === "busy" ? "" : (STATES[state]?.word ?? state);
  if (!waiting) return "0";
  return [count(waiting), age(oldestSeconds)].filter(Boolean).join(" · ");
}

/** A name that may break after a dash, a dot, or where a new word begins. */
function breakable(text) {
  return text
    .split(/(?<=[-.,])|(?<=[a-z])(?=[A-Z])/)
    .flatMap((part, i) => (i ? [h("wbr"), part] : [part]));
}
