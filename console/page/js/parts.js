/** Pieces that several views show alike. */

import { announce } from "./announce.js";
import { fill, h, nextId } from "./dom.js";

/** How a state is shown without colour: a shape, and a word for a screen reader. */
export const STATES = {
  ok: { shape: "●", word: "well" },
  busy: { shape: "◆", word: "busy" },
  stuck: { shape: "▲", word: "stuck" },
  away: { shape: "○", word: "away" },
  unknown: { shape: "?", word: "unknown" },
};

/** The shape of a state, for the eye only. */
export function shape(state) {
  return h("span", {
    class: `shape ${state}`,
    "aria-hidden": "true",
    text: (STATES[state] ?? STATES.unknown).shape,
  });
}

/** An error as a sentence, near what was asked. */
export function problem(error) {
  return h(
    "p",
    { class: "problem", role: "alert" },
    h("strong", { text: error.title ?? "Something went wrong" }),
    error.detail || !error.title ? `: ${error.detail ?? error.message}` : "",
  );
}

/** A labelled input or select. `control` needs no id. */
export function field(label, control, { hint = null, wide = false } = {}) {
  control.id ||= nextId("field");
  const about = hint ? h("span", { class: "hint", id: `${control.id}-hint`, text: hint }) : null;
  if (about) control.setAttribute("aria-describedby", about.id);
  return h(
    "div",
    { class: wide ? "field wide" : "field" },
    h("label", { for: control.id, text: label }),
    control,
    about,
  );
}

/** A button that does one thing at a time: while it works it says so and cannot be pressed again; an error lands in `errors`. */
export function doing(label, f, { className = "", errors = null, working = `${label}…` } = {}) {
  const button = h("button", { type: "button", class: className, text: label });
  button.addEventListener("click", () => work(button, f, errors, working));
  return button;
}

/** Run `f` for a button that was pressed; used by forms too. */
export async function work(button, f, errors, working) {
  if (button.getAttribute("aria-disabled") === "true") return;
  const label = button.textContent;
  button.setAttribute("aria-disabled", "true"); // not `disabled`: that would throw the focus away
  button.textContent = working;
  if (errors) fill(errors);
  try {
    await f();
  } catch (error) {
    if (errors) fill(errors, problem(error));
    else throw error;
  } finally {
    button.textContent = label;
    button.removeAttribute("aria-disabled");
  }
}

/** A block of code with its name and a button that copies what `text()` then is. */
export function copyable(title, code, text = () => code.textContent) {
  const copy = h("button", {
    type: "button",
    class: "tiny",
    text: "Copy",
    "aria-label": `Copy: ${title}`,
  });
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      copy.textContent = "Copied";
      announce(`Copied: ${title}`);
    } catch {
      getSelection().selectAllChildren(code);
      copy.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => {
      copy.textContent = "Copy";
    }, 2500);
  });
  return h("div", {}, h("div", { class: "code-head" }, h("h3", { text: title }), copy), code);
}

/** The head of a view. */
export function intro(title, lede, ...more) {
  return h(
    "div",
    { class: "intro" },
    h("div", {}, h("h1", { text: title }), h("p", { class: "lede" }, lede)),
    more,
  );
}

/** A table that scrolls in its own box: `head` are names or [name, class]; `body` an element to fill with rows. */
export function table(caption, head, body, { captionHidden = false } = {}) {
  return h(
    "div",
    { class: "table-box", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: captionHidden ? "unseen" : null, text: caption }),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          head.map((each) =>
            h("th", {
              scope: "col",
              class: Array.isArray(each) ? each[1] : null,
              text: Array.isArray(each) ? each[0] : each,
            }),
          ),
        ),
      ),
      body,
    ),
  );
}

/** Try until a view is left: a fetch that repeats, `next()` says in how many ms, null ends it. */
export function repeating(f) {
  let timer = null;
  let ended = false;
  const round = async () => {
    clearTimeout(timer);
    const wait = await f();
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
