/** JSON as coloured text, made of DOM nodes: data stays text. */

import { h } from "./dom.js";

const PIECES =
  /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b|([{}[\],])/g;

/** A value, laid out. */
export function jsonBlock(value) {
  const text = JSON.stringify(value, null, 2);
  const parts = [];
  let last = 0;
  for (const found of text.matchAll(PIECES)) {
    const [whole, string, colon, number, word] = found;
    const kind = string ? "text" : number ? "number" : word ? "word" : "mark";
    parts.push(text.slice(last, found.index));
    if (colon) parts.push(h("span.j-key", string), h("span.j-mark", colon));
    else parts.push(h(`span.j-${kind}`, whole));
    last = found.index + whole.length;
  }
  return code(parts, text.slice(last));
}

/** A text that may be JSON: laid out if it is, unchanged if not. */
export function textBlock(text) {
  try {
    return jsonBlock(JSON.parse(text));
  } catch {
    return code(text);
  }
}

/** Text of any kind in a box of code. */
export const code = (...text) => h("pre.code", { tabindex: "0" }, text);
