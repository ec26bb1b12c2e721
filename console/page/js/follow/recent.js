/** The subscriptions that passed lately, to choose one from. */

import { fill, h } from "../dom.js";
import { ago } from "../format.js";
import { chip, repeating, table } from "../parts.js";
import { address } from "../router.js";

const EVERY_MS = 3000;
const COLUMNS = ["Subscription", "Last event", "Seen", ["Events", "number"], "Journey"];

export function recent(container, { api }) {
  const { element, body, show } = table("Recent subscriptions", COLUMNS);
  const errors = h("div");
  fill(container, errors, h("section", h("h2", "Recent subscriptions"), element));
  const nothing = ["None has passed yet. ", h("a", { href: "#/try" }, "Create one"), "."];
  let drawn = "";
  const read = async () => {
    const { subscriptions } = await api.get("/api/subscriptions?limit=20");
    const now = JSON.stringify(subscriptions);
    if (now !== drawn && !body.contains(document.activeElement)) {
      drawn = now;
      show(subscriptions.map(row), nothing);
    }
    return EVERY_MS;
  };
  return repeating(read, errors, EVERY_MS).end;
}

const row = ({ subscriptionId: id, lastEvent, at, events, complete }) => [
  h("a.mono", { href: address("follow", id) }, id),
  lastEvent,
  ago(at),
  String(events),
  complete ? chip("ok", "complete") : chip("busy", "on its way"),
];
