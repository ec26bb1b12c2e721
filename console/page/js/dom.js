/** Elements from data. Text goes in as text nodes: what events carry is never read as HTML. */

/**
 * Make an HTML element: `h("p.muted.small", { title }, "text", h("b", "more"))`.
 * @param {string} tag with its classes
 * @param {...any} rest attributes first, if there are any (with a function, what answers an event: `onclick`), then
 *   children: nodes, texts, lists of them; null, undefined and false leave one out
 * @returns {HTMLElement}
 */
export function h(tag, ...rest) {
  const [name, ...classes] = tag.split(".");
  return dress(document.createElement(name), classes, rest);
}

/**
 * Make an SVG element; as `h`.
 * @returns {SVGElement}
 */
export function s(tag, ...rest) {
  const [name, ...classes] = tag.split(".");
  return dress(document.createElementNS("http://www.w3.org/2000/svg", name), classes, rest);
}

/** Put these in the place of everything in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(isThere));
  return element;
}

/** Change a text only when it is another: no work for the browser, and nothing said twice to a screen reader. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A number in the DOM that is unlike any other's, for labels and descriptions. */
export const nextId = (
  (count) => (prefix) =>
    `${prefix}-${++count}`
)(0);

function dress(element, classes, rest) {
  const attributes = rest[0]?.constructor === Object ? rest.shift() : {};
  element.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes).filter(([, value]) => isThere(value))) {
    if (typeof value === "function" || name === "value") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  return fill(element, rest);
}

const isThere = (value) => value !== null && value !== undefined && value !== false;
