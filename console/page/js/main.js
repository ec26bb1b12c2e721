/** The console's page: puts the parts together. */

import { createApi } from "./api.js";
import { fill, h } from "./dom.js";
import { connection, navigation, needs, trouble } from "./head.js";
import { Live } from "./live.js";
import { readMap } from "./map/model.js";
import { problem } from "./parts.js";
import { route } from "./router.js";
import { theme } from "./theme.js";
import { breakIt } from "./break/view.js";
import { follow } from "./follow/view.js";
import { deadLetters } from "./dead-letters/view.js";
import { map } from "./map/view.js";
import { replay } from "./replay/view.js";
import { tryIt } from "./try/view.js";

const VIEWS = [map, follow, tryIt, deadLetters, replay, breakIt];
const at = (id) => document.getElementById(id);

async function start() {
  theme(at("theme"));
  const live = new Live();
  const context = { api: createApi(), live, map: null };
  connection(at("connection"), live);
  trouble(at("trouble"), live);
  needs(at("needs"), live, context);
  const mark = navigation(at("views"), VIEWS);
  live.start();
  context.map = await untilKnown(context.api);
  route(VIEWS, at("content"), context, mark);
  context.api.about().then(foot, () => {});
}

function foot({ version, mode, region }) {
  fill(
    at("foot"),
    h("span", `streamed events ${version}`),
    h("span", mode === "local" ? "on this machine" : `on AWS, ${region}`),
    h("span", "closing this page loses nothing: the console only taps"),
  );
}

/** Everything is drawn on the map of the system: ask until the backend says it. */
async function untilKnown(api) {
  for (;;) {
    try {
      return readMap(await api.get("/api/map"));
    } catch (error) {
      fill(
        at("content"),
        h("h1", "Not there yet"),
        problem(error),
        h("p.muted", "It is asked again every two seconds."),
      );
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

start();
