/** JSON as coloured text, made of DOM nodes: data stays text. */

import { h } from "./dom.js";

const PIECES =
  /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b|([{}[\],])/g;

/** A value, laid out. */
export function jsonBlock(value) {
  return coloured(JSON.stringify(value, null, 2));
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
export function code(...text) {
  return h("pre", { class: "code", tabindex: "0" }, text);
}

function coloured(text) {
  const parts = [];
  let last = 0;
  for (const found of text.matchAll(PIECES)) {
    const [whole, string, colon, number, word] = found;
    if (found.index > last) parts.push(text.slice(last, found.index));
    if (string && colon) parts.push(span("j-key", string), span("j-mark", colon));
    else
      parts.push(span(string ? "j-text" : number ? "j-number" : word ? "j-word" : "j-mark", whole));
    last = found.index + whole.length;
  }
  return code(parts, text.slice(last));
}

const span = (name, text) => h("span", { class: name, text });
