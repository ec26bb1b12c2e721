/** What happened, step by step: when, how long after the step before, and where on the whole. */

import { h } from "../dom.js";
import { clock, ms } from "../format.js";

const LONG_GAP_MS = 1000; // a person acted, or something waited: said between the steps

/** @returns {HTMLElement} */
export function timeline(steps, map) {
  const end = Math.max(1, ...steps.map((step) => step.ms));
  const scale = waterfall(steps);
  return h(
    "ol.timeline",
    { "aria-label": `Timeline of ${steps.length} steps over ${ms(end)}` },
    steps.map((step, i) => [
      step.gapMs >= LONG_GAP_MS && h("li.pause", h("span", `${ms(step.gapMs)} later`)),
      item(step, map, scale[i]),
    ]),
  );
}

function item(step, map, [from, to]) {
  const bar = h("span.bar");
  bar.style.insetInlineStart = `${from * 100}%`;
  bar.style.inlineSize = `${Math.max(0.6, (to - from) * 100)}%`;
  return h(
    `li.step.is-${step.kind}.d${map.byId.get(step.node)?.index ?? 0}`,
    h("span.step-at", { title: clock(step.at) }, ms(step.ms)),
    h("span.step-dot", { "aria-hidden": "true" }),
    h(
      "div.step-body",
      h("p", h("span.type", step.eventType), " ", h("span.chip", step.kind)),
      h("p.step-sentence", step.sentence),
      h("div.fall", { "aria-hidden": "true" }, bar),
    ),
    h("span.step-gap", step.gapMs === null ? "" : `+${ms(step.gapMs)}`),
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
