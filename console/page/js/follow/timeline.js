/** What happened, step by step: when, how long after the step before, and where on the whole. */

import { h } from "../dom.js";
import { clock, ms } from "../format.js";

const LONG_GAP_MS = 1000; // a person acted, or something waited: said between the steps

/** @returns {HTMLElement} */
export function timeline(steps, map) {
  const end = Math.max(1, ...steps.map((step) => step.ms));
  const scale = waterfall(steps);
  return h(
    "ol",
    { class: "timeline", "aria-label": `Timeline of ${steps.length} steps over ${ms(end)}` },
    steps.map((step, i) => [
      step.gapMs >= LONG_GAP_MS
        ? h("li", { class: "pause" }, h("span", { text: `${ms(step.gapMs)} later` }))
        : null,
      item(step, map, scale[i]),
    ]),
  );
}

function item(step, map, [from, to]) {
  const node = map.byId.get(step.node);
  const bar = h("span", { class: "bar" });
  bar.style.insetInlineStart = `${from * 100}%`;
  bar.style.inlineSize = `${Math.max(0.6, (to - from) * 100)}%`;
  return h(
    "li",
    { class: `step is-${step.kind} d${node?.index ?? 0}` },
    h("span", { class: "step-at", title: clock(step.at), text: ms(step.ms) }),
    h("span", { class: "step-dot", "aria-hidden": "true" }),
    h(
      "div",
      { class: "step-body" },
      h(
        "p",
        {},
        h("span", { class: "type", text: step.eventType ?? step.kind }),
        " ",
        h("span", { class: "chip", text: step.kind }),
      ),
      h("p", { class: "step-sentence", text: step.sentence }),
      h("div", { class: "fall", "aria-hidden": "true" }, bar),
    ),
    h("span", {
      class: "step-gap",
      text: step.gapMs === null || step.gapMs === undefined ? "" : `+${ms(step.gapMs)}`,
    }),
  );
}

/** Where each step begins and ends on its bar, from 0 to 1; a long pause takes no more room than the longest short one. */
function waterfall(steps) {
  const gaps = steps.map((step) => step.gapMs ?? 0);
  const most = Math.max(1, ...gaps.filter((gap) => gap < LONG_GAP_MS));
  const shown = gaps.map((gap) => (gap >= LONG_GAP_MS ? most : gap));
  const sum = shown.reduce((a, b) => a + b, 0) || 1;
  let at = 0;
  return shown.map((gap) => {
    const from = at;
    at += gap;
    return [from / sum, at / sum];
  });
}
