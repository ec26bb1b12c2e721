/** Pieces that several views show alike. */

import { fill, h, nextId, setText } from "./dom.js";
import { short } from "./format.js";

/** How a state is shown without colour: a shape, and a word for a screen reader. */
export const STATES = {
  ok: { shape: "●", word: "well" },
  busy: { shape: "◆", word: "busy" },
  stuck: { shape: "▲", word: "stuck" },
  away: { shape: "○", word: "away" },
  unknown: { shape: "?", word: "unknown" },
};

/** What is shown of a node that a snapshot does not name. */
export const UNKNOWN = { state: "unknown", sentence: "nothing is known of it" };

/** The place of a shape, for the eye only. */
export const noShape = () => h("span.shape", { "aria-hidden": "true" });

/** The shape of a state. */
export const shape = (state) => setShape(noShape(), state);

export function setShape(mark, state) {
  mark.className = `shape ${state}`;
  setText(mark, STATES[state].shape);
  return mark;
}

/** A state and a word for it, in a frame. */
export const chip = (state, word) => setChip(h("span"), state, word);

export function setChip(mark, state, word) {
  mark.className = `chip ${state}`;
  setText(mark, `${STATES[state].shape} ${word}`);
  return mark;
}

/** An error as a sentence, near what was asked. */
export function problem(error) {
  return h(
    "p.problem",
    { role: "alert" },
    h("strong", error.title ?? "Something went wrong"),
    error.detail || !error.title ? `: ${error.detail ?? error.message}` : "",
  );
}

/** A labelled input or select. `control` needs no id. */
export function field(label, control, { hint, wide } = {}) {
  control.id ||= nextId("field");
  const about = hint && h("span.hint", { id: `${control.id}-hint` }, hint);
  if (about) control.setAttribute("aria-describedby", about.id);
  const named = h("label", { for: control.id }, label);
  return h(wide ? "div.field.wide" : "div.field", named, control, about);
}

/** A button that is no form's; `kind` are its classes, as in `.danger.tiny`. */
export const button = (label, press, kind = "") =>
  h(`button${kind}`, { type: "button", onclick: press }, label);

/** A button that does one thing at a time: while it works it says so and cannot be pressed again; an error lands in `errors`. */
export function doing(label, f, errors, { kind, working = `${label}…` } = {}) {
  const made = button(label, () => work(made, f, errors, working), kind);
  return made;
}

/** Run `f` for a button that was pressed; used by forms too. */
export async function work(pressed, f, errors, working) {
  if (pressed.getAttribute("aria-disabled") === "true") return;
  const label = pressed.textContent;
  pressed.setAttribute("aria-disabled", "true"); // not `disabled`: that would throw the focus away
  pressed.textContent = working;
  fill(errors);
  try {
    await f();
  } catch (error) {
    fill(errors, problem(error));
  } finally {
    pressed.textContent = label;
    pressed.removeAttribute("aria-disabled");
  }
}

/** The head of a view. */
export const intro = (title, lede, ...more) =>
  h("div.intro", h("div", h("h1", title), h("p.lede", lede)), more);

/** Names and what they are, for a `dl`; what is null or undefined is left out. */
export const terms = (pairs, dd = "dd") =>
  pairs
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => h("div", h("dt", name), h(dd, [value])));

/**
 * A table that scrolls in its own box.
 * @param {(string|[string, string])[]} columns names, or [name, class]
 * @returns {{element: HTMLElement, body: HTMLElement, row: (cells: any[]) => HTMLElement, show: (rows: any[][], nothing?: any) => void}}
 *   a cell is a `td`, or what is in one; `nothing` is said where there are no rows
 */
export function table(caption, columns) {
  const named = columns.map((each) => [each].flat());
  const head = named.map(([name, style]) => h("th", { scope: "col", class: style }, name));
  const body = h("tbody");
  const cell = (each, i) =>
    each instanceof HTMLTableCellElement ? each : h("td", { class: named[i][1] }, each);
  const row = (cells) => h("tr", cells.map(cell));
  const none = (said) => row([h("td.empty", { colspan: columns.length }, said)]);
  return {
    element: h(
      "div.table-box",
      { tabindex: "0", role: "region", "aria-label": caption },
      h("table", h("caption.unseen", caption), h("thead", h("tr", head)), body),
    ),
    body,
    row,
    show: (rows, nothing) => fill(body, rows.length ? rows.map(row) : none(nothing)),
  };
}

/** An id's cell: the beginning of it, and the whole one as its title. */
export const idCell = (id) => h("td.mono", { title: id }, short(id));

/**
 * Ask again and again until a view is left; what goes wrong is shown in `errors` until it goes well.
 * @param {() => Promise<number|null>} f says in how many ms to ask again, null ends it
 * @param {number} retryMs after an error
 */
export function repeating(f, errors, retryMs) {
  let timer = null;
  let ended = false;
  const round = async () => {
    clearTimeout(timer);
    let wait = retryMs;
    try {
      wait = await f();
      fill(errors);
    } catch (error) {
      fill(errors, problem(error));
    }
    if (!ended && wait !== null) timer = setTimeout(round, wait);
  };
  round();
  return {
    now: round,
    end: () => {
      ended = true;
      clearTimeout(timer);
    },
  };
}
