/** From a preview to what was done: nothing is sent or dropped that was not shown first. */

import { announce } from "../announce.js";
import { fill, h } from "../dom.js";
import { many, short } from "../format.js";
import { doing, field, table } from "../parts.js";

/** @returns {{element: HTMLElement, preview: (action: "redrive"|"drop", ids: string[]|null) => Promise<void>, speaks: () => boolean}} */
export function createDecision(api, queue, changed) {
  const element = h("div", { class: "decision", hidden: true });
  const close = () => {
    element.hidden = true;
    fill(element);
  };

  async function preview(action, messageIds) {
    const shown = await api.post("/api/dead-letters/preview", {
      queue,
      messageIds,
      eventType: null,
      aggregateId: null,
    });
    const errors = h("div", {});
    const title = h("h3", {
      tabindex: "-1",
      text:
        action === "redrive"
          ? `Preview: redrive to ${shown.destination}`
          : "Preview: drop for good",
    });
    const going = shown.deadLetters.filter((deadLetter) => deadLetter.willBeSent).length;
    const answered = async (work) => {
      const done = await work();
      result(action, done, shown.deadLetters);
      await changed();
    };
    const send = () =>
      answered(() => api.post("/api/dead-letters/redrive", { preview: shown.preview }));
    const confirm = h("input", { autocomplete: "off", class: "mono" });
    const drop = () => {
      if (confirm.value.trim() !== "drop") {
        confirm.focus();
        throw Object.assign(new Error(), {
          title: "Not confirmed",
          detail: "type the word drop: what is dropped is gone",
        });
      }
      return answered(() =>
        api.post("/api/dead-letters/drop", { preview: shown.preview, confirm: "drop" }),
      );
    };
    const rows = shown.deadLetters.map((deadLetter) => [
      deadLetter,
      action === "redrive" ? deadLetter.outcome : "would be dropped",
      action === "drop" || deadLetter.willBeSent,
    ]);
    fill(
      element,
      title,
      table(
        "Preview",
        ["Message", "Event", "Outcome"],
        h(
          "tbody",
          {},
          rows.map(([deadLetter, outcome, yes]) => outcomeRow(deadLetter, outcome, yes)),
        ),
        { captionHidden: true },
      ),
      shown.note ? h("p", { class: "note small", text: shown.note }) : null,
      action === "redrive"
        ? h(
            "div",
            { class: "buttons" },
            doing(`Redrive ${many(going, "dead letter")}`, send, {
              className: "primary",
              errors,
              working: "Sending…",
            }),
            cancel(),
          )
        : h(
            "div",
            { class: "stack" },
            field("Type drop to confirm", confirm),
            h(
              "div",
              { class: "buttons" },
              doing(`Drop ${many(shown.deadLetters.length, "dead letter")}`, drop, {
                className: "danger",
                errors,
                working: "Dropping…",
              }),
              cancel(),
            ),
          ),
      errors,
    );
    element.hidden = false;
    title.focus();
  }

  const cancel = () => h("button", { type: "button", text: "Leave them", on: { click: close } });

  function result(action, done, deadLetters) {
    const types = new Map(
      deadLetters.map((deadLetter) => [deadLetter.messageId, deadLetter.eventType]),
    );
    const word = action === "redrive" ? "redriven" : "dropped";
    const sentence = `${many(done.done, "dead letter")} ${word}${done.leftBehind ? `, ${done.leftBehind} left behind` : ""}${done.stopped ? `. It stopped: ${done.stopped}` : ""}`;
    const title = h("h3", { tabindex: "-1", text: sentence });
    fill(
      element,
      title,
      table(
        "Result",
        ["Message", "Event", "Outcome"],
        h(
          "tbody",
          {},
          done.messages.map((message) =>
            outcomeRow(
              { ...message, eventType: types.get(message.messageId) },
              message.outcome,
              message.done,
            ),
          ),
        ),
        { captionHidden: true },
      ),
      h(
        "div",
        { class: "buttons" },
        h("button", {
          type: "button",
          text: "Done",
          on: {
            click: () => {
              close();
              changed();
            },
          },
        }),
      ),
    );
    title.focus();
    announce(sentence);
  }

  return { element, preview, speaks: () => !element.hidden };
}

function outcomeRow({ messageId, eventType }, outcome, good) {
  return h(
    "tr",
    {},
    h("td", { class: "mono", title: messageId, text: short(messageId) }),
    h("td", { text: eventType ?? "–" }),
    h(
      "td",
      {},
      h("span", {
        class: `shape ${good ? "ok" : "away"}`,
        "aria-hidden": "true",
        text: good ? "●" : "○",
      }),
      ` ${outcome}`,
    ),
  );
}
