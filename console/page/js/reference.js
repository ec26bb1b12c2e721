/** The page of events needs no script: this only keeps the colours that a person chose. */

import { theme } from "./theme.js";

theme(document.getElementById("theme"));
