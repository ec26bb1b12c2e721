/** Times, ages and numbers as a person reads them. */

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const WHOLE = new Intl.NumberFormat("en");

/** `14:03:07.214`, in this browser's zone; with the day in front if it is not today. */
export function clock(iso, { milliseconds = true } = {}) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso ? String(iso) : "";
  const time =
    CLOCK.format(at) + (milliseconds ? `.${String(at.getMilliseconds()).padStart(3, "0")}` : "");
  return at.toDateString() === new Date().toDateString() ? time : `${DAY.format(at)} ${time}`;
}

/** `0.4 s`, `45 s`, `3 min`, `2 h`, `5 days`: as exact as it matters. */
export function age(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** How long ago a moment was: `4 s ago`. */
export function ago(iso) {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? "" : `${age(Math.max(0, Math.round((Date.now() - at) / 1000)))} ago`;
}

/** `12 ms`, `1,204 ms`, `61.2 s`. */
export function ms(value) {
  if (value === null || value === undefined) return "";
  if (value >= 10000) return age(value / 1000);
  return `${WHOLE.format(value < 10 && value % 1 ? Math.round(value * 10) / 10 : Math.round(value))} ms`;
}

/** `3.2/s`; null for nothing. */
export function rate(perSecond) {
  if (!perSecond || perSecond < 0.05) return null;
  return perSecond < 9.95
    ? `${perSecond.toFixed(1)}/s`
    : `${WHOLE.format(Math.round(perSecond))}/s`;
}

/** `1,020`. */
export function count(number) {
  return number === null || number === undefined ? "–" : WHOLE.format(number);
}

/** `1 event`, `3 events`. */
export function many(number, one, more = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : more}`;
}

/** The first part of an id, where a whole one has no room. */
export function short(id) {
  return id && id.length > 13 ? `${id.slice(0, 13)}…` : (id ?? "");
}
