/** From a preview to what was done: nothing is sent or dropped that was not shown first. */

import { announce } from "../announce.js";
import { Problem } from "../api.js";
import { fill, h } from "../dom.js";
import { many } from "../format.js";
import { button, doing, field, idCell, shape, table } from "../parts.js";

/** @returns {{element: HTMLElement, preview: (action: "redrive"|"drop", ids: string[]|null) => Promise<void>, speaks: () => boolean}} */
export function createDecision(api, queue, changed) {
  const element = h("div.decision", { hidden: true });
  const close = () => {
    element.hidden = true;
  };

  async function preview(action, messageIds) {
    const shown = await api.post("/api/dead-letters/preview", { queue, messageIds });
    const errors = h("div");
    const note = shown.note && h("p.note.small", shown.note);
    const cancel = button("Leave them", close);
    if (action === "redrive") {
      const rows = shown.deadLetters.map((each) => row(each, each.outcome, each.willBeSent));
      const title = `Preview: redrive to ${shown.destination}`;
      const buttons = h("div.buttons", redriving(shown, errors), cancel);
      show(title, "Preview", rows, note, buttons, errors);
    } else {
      const rows = shown.deadLetters.map((each) => row(each, "would be dropped", true));
      const question = dropping(shown, errors, cancel);
      show("Preview: drop for good", "Preview", rows, note, question, errors);
    }
  }

  function redriving(shown, errors) {
    const going = shown.deadLetters.filter((each) => each.willBeSent).length;
    const redrive = () => carryOut("redrive", shown, { preview: shown.preview });
    const options = { kind: ".primary", working: "Sending…" };
    return doing(`Redrive ${many(going, "dead letter")}`, redrive, errors, options);
  }

  function dropping(shown, errors, cancel) {
    const confirm = h("input.mono", { autocomplete: "off" });
    const drop = () => {
      if (confirm.value.trim() === "drop")
        return carryOut("drop", shown, { preview: shown.preview, confirm: "drop" });
      confirm.focus();
      throw new Problem("Not confirmed", "type the word drop: what is dropped is gone");
    };
    const label = `Drop ${many(shown.deadLetters.length, "dead letter")}`;
    const act = doing(label, drop, errors, { kind: ".danger", working: "Dropping…" });
    return h("div.stack", field("Type drop to confirm", confirm), h("div.buttons", act, cancel));
  }

  async function carryOut(action, { deadLetters }, order) {
    const done = await api.post(`/api/dead-letters/${action}`, order);
    const types = new Map(deadLetters.map((each) => [each.messageId, each.eventType]));
    const rows = done.messages.map((each) =>
      row({ ...each, eventType: types.get(each.messageId) }, each.outcome, each.done),
    );
    const word = action === "redrive" ? "redriven" : "dropped";
    const left = done.leftBehind ? `, ${done.leftBehind} left behind` : "";
    const stopped = done.stopped ? `. It stopped: ${done.stopped}` : "";
    const sentence = `${many(done.done, "dead letter")} ${word}${left}${stopped}`;
    const leave = () => {
      close();
      changed();
    };
    show(sentence, "Result", rows, h("div.buttons", button("Done", leave)));
    announce(sentence);
    await changed();
  }

  function show(words, caption, rows, ...more) {
    const title = h("h3", { tabindex: "-1" }, words);
    const outcomes = table(caption, ["Message", "Event", "Outcome"]);
    outcomes.show(rows);
    fill(element, title, outcomes.element, more);
    element.hidden = false;
    title.focus();
  }

  return { element, preview, speaks: () => !element.hidden };
}

const row = ({ messageId, eventType }, outcome, good) => [
  idCell(messageId),
  eventType ?? "–",
  [shape(good ? "ok" : "away"), ` ${outcome}`],
];
