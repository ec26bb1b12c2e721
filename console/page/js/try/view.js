/** Try it: create a subscription, cancel its payment, and see what goes over the wire. */

import { announce } from "../announce.js";
import { fill, h, nextId } from "../dom.js";
import { copyable, field, intro, problem, work } from "../parts.js";
import { code } from "../json.js";
import { curl, flatJson } from "./curl.js";
import { exchange } from "./exchange.js";

const SAMPLE = [
  ["accountNumber", "Account number", "12345678", "6 to 10 digits"],
  ["accountName", "Account name", "A Lovelace"],
  ["accountSortCode", "Sort code", "12-34-56", "6 digits, dashes allowed"],
  ["customerFirstName", "First name", "Ada"],
  ["customerSurname", "Surname", "Lovelace"],
];

export const tryIt = { name: "try", label: "Try it", mount };

function mount(root, { api, kept }, paymentId) {
  const cancelId = h("input", {
    class: "mono",
    autocomplete: "off",
    spellcheck: "false",
    value: paymentId ?? kept.get("paymentId") ?? "",
    required: true,
  });
  const top = h("div", {});
  const base = {
    subscription: "http://127.0.0.1:8001",
    payment: "http://127.0.0.1:8003",
    options: {},
  };
  const create = createForm(api, base, (id) => {
    cancelId.value = id;
    cancel.refresh();
  });
  const cancel = cancelForm(api, base, cancelId);
  fill(
    root,
    intro(
      "Try it",
      "Send the real thing to the real APIs, and see exactly what went over the wire.",
    ),
    top,
    create.element,
    cancel.element,
  );
  api.about().then(
    ({ apis, curlOptions }) => {
      Object.assign(base, apis, { options: curlOptions });
      create.refresh();
      cancel.refresh();
    },
    (error) => fill(top, problem(error)),
  );
  return () => kept.set("paymentId", cancelId.value);
}

function createForm(api, base, created) {
  const inputs = SAMPLE.map(([name, label, value, hint]) => [
    name,
    label,
    h("input", { name, value, autocomplete: "off" }),
    hint,
  ]);
  const quantity = h("input", { name: "quantity", type: "number", value: "2", step: "1" });
  const key = h("input", {
    name: "idempotencyKey",
    class: "mono",
    autocomplete: "off",
    spellcheck: "false",
  });
  const values = () => ({
    ...Object.fromEntries(inputs.map(([name, , input]) => [name, input.value])),
    quantity: quantity.value === "" ? null : Number(quantity.value),
  });
  return part(
    "Create a subscription",
    "Create subscription",
    [
      ...inputs.map(([, label, input, hint]) => field(label, input, { hint })),
      field("Quantity", quantity, { hint: "razors a month, 1 to 10" }),
      field("Idempotency-Key (optional)", key, {
        hint: "the same key twice makes one subscription",
        wide: true,
      }),
    ],
    () => ({
      method: "POST",
      url: `${base.subscription}/subscriptions`,
      headers: {
        "Content-Type": "application/json",
        ...(key.value ? { "Idempotency-Key": key.value } : {}),
      },
      body: flatJson(values()),
      options: base.options.subscription ?? [],
    }),
    async () => {
      const done = await api.post("/api/try/subscriptions", {
        ...values(),
        idempotencyKey: key.value || null,
      });
      if (done.subscriptionId && done.response?.status < 400) created(done.subscriptionId);
      return done;
    },
  );
}

function cancelForm(api, base, id) {
  return part(
    "Cancel a payment",
    "Cancel payment",
    [
      field("Payment id", id, {
        hint: "the subscription's id: a payment has the same",
        wide: true,
      }),
    ],
    () => ({
      method: "PATCH",
      url: `${base.payment}/payments/${encodeURIComponent(id.value.trim() || "ID")}`,
      headers: { "Content-Type": "application/json" },
      body: '{"status": "cancelled"}',
      options: base.options.payment ?? [],
    }),
    () => api.post(`/api/try/payments/${encodeURIComponent(id.value.trim())}/cancel`),
  );
}

/** One form with its curl beside it, and beneath what came of it. */
function part(title, action, fields, request, send) {
  const shell = code();
  const errors = h("div", {});
  const result = h("div", {
    role: "region",
    "aria-label": `${title}: what went over the wire`,
    hidden: true,
  });
  const button = h("button", { class: "primary", text: action });
  const heading = nextId("part");
  const refresh = () => {
    shell.textContent = curl(request());
  };
  const form = h(
    "form",
    {
      novalidate: true,
      on: {
        input: refresh,
        submit: (event) => {
          event.preventDefault();
          work(button, run, errors, "Sending…");
        },
      },
    },
    h("div", { class: "fields" }, fields),
    h("div", { class: "buttons form-end" }, button),
  );
  const missing = () =>
    [...form.querySelectorAll("input[required]")].find((input) => !input.value.trim());
  async function run() {
    const empty = missing();
    if (empty) {
      empty.focus();
      throw Object.assign(new Error(), {
        title: "No id",
        detail: "create a subscription first, or paste the id of one",
      });
    }
    const done = await send();
    fill(result, exchange(done));
    result.hidden = false;
    announce(
      done.response
        ? `${title}: ${done.response.status} ${done.response.reason}`
        : `${title}: no response`,
    );
  }
  refresh();
  const element = h(
    "section",
    { class: "card try", "aria-labelledby": heading },
    h("h2", { id: heading, text: title }),
    h(
      "div",
      { class: "try-columns" },
      h("div", { class: "stack" }, form, errors),
      copyable("The same as curl", shell),
    ),
    result,
  );
  return { element, refresh };
}
