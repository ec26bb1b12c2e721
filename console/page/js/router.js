/** Which view is in the page: `#/name/argument`. */

/**
 * @typedef {object} View
 * @property {string} name
 * @property {string} label in the navigation, and the page's title
 * @property {(root: HTMLElement, context: any, argument: string|null) => (() => void)} mount returns what ends it
 */

/** The address of a view, and in it of one thing. */
export const address = (view, argument) => `#/${view}/${encodeURIComponent(argument)}`;

/**
 * Show the view that the address names, now and whenever it changes.
 * @param {View[]} views the first is shown where the address names none
 */
export function route(views, root, context, shown) {
  let leave = null;
  let current = null; // the address of what is shown
  const show = () => {
    if (location.hash === "#content" && current) {
      // the skip link: no view of its own
      history.replaceState(null, "", current);
      root.focus();
      return;
    }
    const first = !current;
    const [, name, ...rest] = location.hash.split("/");
    current = name ? location.hash : `#/${views[0].name}`;
    const view = views.find((each) => each.name === name) ?? views[0];
    leave?.();
    root.replaceChildren();
    leave = view.mount(root, context, rest.length ? decode(rest.join("/")) : null);
    document.title = `${view.label} · streamed events`;
    shown(view);
    if (first) return;
    scrollTo(0, 0);
    root.focus({ preventScroll: true });
  };
  addEventListener("hashchange", show);
  show();
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
