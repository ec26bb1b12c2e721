/** Try it: create a subscription, cancel it or its payment, and see what goes over the wire. */

import { announce } from "../announce.js";
import { Problem } from "../api.js";
import { fill, h, nextId } from "../dom.js";
import { code } from "../json.js";
import { button, field, intro, problem, work } from "../parts.js";
import { curl, flatJson } from "./curl.js";
import { exchange } from "./exchange.js";

const SAMPLE = [
  ["accountNumber", "Account number", "12345678", "6 to 10 digits"],
  ["accountName", "Account name", "A Lovelace"],
  ["accountSortCode", "Sort code", "12-34-56", "6 digits, dashes allowed"],
  ["customerFirstName", "First name", "Ada"],
  ["customerSurname", "Surname", "Lovelace"],
];

const ID_INPUT = { class: "mono", autocomplete: "off", spellcheck: "false" };

export const tryIt = { name: "try", label: "Try it", mount };

let lastPaymentId = ""; // while another view is shown

function mount(root, { api }, paymentId) {
  const known = { ...ID_INPUT, value: paymentId ?? lastPaymentId, required: true };
  const [cancelId, endId] = [h("input", known), h("input", known)];
  const top = h("div");
  const base = {
    subscription: "http://127.0.0.1:8001",
    payment: "http://127.0.0.1:8003",
    options: {},
  };
  const create = createForm(api, base, (id) => {
    for (const input of [cancelId, endId]) input.value = id;
    for (const form of [cancel, end]) form.refresh();
  });
  const cancel = cancelForm(api, cancelId, {
    what: "payment",
    hint: "the subscription's id: a payment has the same",
    path: (id) => `/api/try/payments/${id}/cancel`,
    request: (id) => ({
      method: "PATCH",
      url: `${base.payment}/payments/${id}`,
      body: '{"status": "cancelled"}',
      options: base.options.payment,
    }),
  });
  const end = cancelForm(api, endId, {
    what: "subscription",
    hint: "as its customer does; the payment and the stock follow",
    path: (id) => `/api/try/subscriptions/${id}/cancel`,
    request: (id) => ({
      method: "POST",
      url: `${base.subscription}/subscriptions/${id}/cancellation`,
      body: '{"reason": "not stated"}',
      options: base.options.subscription,
    }),
  });
  fill(
    root,
    intro(
      "Try it",
      "Send the real thing to the real APIs, and see exactly what went over the wire.",
    ),
    top,
    create.element,
    end.element,
    cancel.element,
  );
  api.about().then(
    ({ apis, curlOptions, trying }) => {
      if (!trying.enabled) {
        for (const form of [create, end, cancel]) form.element.remove();
        fill(top, h("div.card", h("h2", "Nothing can be tried here"), h("p", trying.why)));
      }
      Object.assign(base, apis, { options: curlOptions });
      for (const form of [create, end, cancel]) form.refresh();
    },
    (error) => fill(top, problem(error)),
  );
  return () => {
    lastPaymentId = cancelId.value;
  };
}

function createForm(api, base, created) {
  const inputs = SAMPLE.map(([name, , value]) => h("input", { name, value, autocomplete: "off" }));
  const quantity = h("input", { name: "quantity", type: "number", value: "2", step: "1" });
  const key = h("input", { ...ID_INPUT, name: "idempotencyKey" });
  const values = () => ({
    ...Object.fromEntries(inputs.map(({ name, value }) => [name, value])),
    quantity: quantity.value === "" ? null : Number(quantity.value),
  });
  return part(
    "Create a subscription",
    "Create subscription",
    [
      SAMPLE.map(([, label, , hint], i) => field(label, inputs[i], { hint })),
      field("Quantity", quantity, { hint: "razors a month, 1 to 10" }),
      field("Idempotency-Key (optional)", key, {
        hint: "the same key twice makes one subscription",
        wide: true,
      }),
    ],
    () => ({
      method: "POST",
      url: `${base.subscription}/subscriptions`,
      headers: key.value ? { "Idempotency-Key": key.value } : {},
      body: flatJson(values()),
      options: base.options.subscription,
    }),
    async () => {
      const order = { ...values(), idempotencyKey: key.value || null };
      const done = await api.post("/api/try/subscriptions", order);
      if (done.subscriptionId) created(done.subscriptionId);
      return done;
    },
  );
}

function cancelForm(api, id, { what, hint, path, request }) {
  const typed = () => encodeURIComponent(id.value.trim());
  return part(
    `Cancel a ${what}`,
    `Cancel ${what}`,
    field(`${what[0].toUpperCase()}${what.slice(1)} id`, id, { hint, wide: true }),
    () => request(typed() || "ID"),
    async () => {
      if (typed()) return api.post(path(typed()));
      id.focus();
      throw new Problem("No id", "create a subscription first, or paste the id of one");
    },
  );
}

/** One form with its curl beside it, and beneath what came of it. */
function part(title, action, fields, request, send) {
  const shell = code();
  const errors = h("div");
  const result = h("div", {
    role: "region",
    "aria-label": `${title}: what went over the wire`,
    hidden: true,
  });
  const submit = h("button.primary", action);
  const heading = nextId("part");
  const refresh = () => {
    shell.textContent = curl(request());
  };
  async function run() {
    const done = await send();
    fill(result, exchange(done));
    result.hidden = false;
    const said = done.response ? `${done.response.status} ${done.response.reason}` : "no response";
    announce(`${title}: ${said}`);
  }
  const form = h(
    "form",
    {
      novalidate: true,
      oninput: refresh,
      onsubmit: (event) => {
        event.preventDefault();
        work(submit, run, errors, "Sending…");
      },
    },
    h("div.fields", fields),
    h("div.buttons.form-end", submit),
  );
  refresh();
  const element = h(
    "section.card.try",
    { "aria-labelledby": heading },
    h("h2", { id: heading }, title),
    h("div.columns.halves", h("div.stack", form, errors), copyable("The same as curl", shell)),
    result,
  );
  return { element, refresh };
}

/** A block of code with its name and a button that copies it. */
function copyable(title, shown) {
  const copy = button("Copy", press, ".tiny");
  copy.ariaLabel = `Copy: ${title}`;
  async function press() {
    try {
      await navigator.clipboard.writeText(shown.textContent);
      copy.textContent = "Copied";
      announce(`Copied: ${title}`);
    } catch {
      getSelection().selectAllChildren(shown);
      copy.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => {
      copy.textContent = "Copy";
    }, 2500);
  }
  return h("div", h("div.code-head", h("h3", title), copy), shown);
}
