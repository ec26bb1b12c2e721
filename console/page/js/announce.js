/** Say to a screen reader what matters: an action's result, something that got stuck. Never every event. */

/** @param {string} sentence */
export function announce(sentence) {
  const container = document.getElementById("announcer");
  container.textContent = "";
  requestAnimationFrame(() => {
    container.textContent = sentence;
  });
}
