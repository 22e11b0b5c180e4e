// Talks to the API: sends the key where one is needed, and names what can go wrong.

import { has, text } from "./texts.js";

const KEY = "itadaki-key";

/** What went wrong; `kind` is none, wrong, large, busy, offline, locked or broken. */
export class Failure extends Error {
  constructor(kind, message, seconds = 0) {
    super(message);
    this.kind = kind;
    this.seconds = seconds; // until it is worth another try; 0 if nobody knows
  }
}

const KINDS = {
  400: "wrong", 401: "locked", 404: "none", 408: "offline", 413: "large", 415: "wrong", 422: "none", 429: "busy",
  503: "busy", 504: "busy",
};

let key = null;
try {
  key = sessionStorage.getItem(KEY);
} catch { /* a browser that stores nothing asks again after a reload */ }

/** Keep the key for as long as this tab lives. */
export function keepKey(entered) {
  key = entered;
  try {
    sessionStorage.setItem(KEY, key);
  } catch { /* as above */ }
}

/** Fetch; resolves to the response, rejects with a Failure (or an AbortError). */
export async function reach(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...options.headers, ...(key && { "X-API-Key": key }) } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("offline", text(navigator.onLine ? "error.no-answer" : "error.no-connection"));
  }
  if (response.ok) return response;
  const kind = KINDS[response.status] ?? "broken";
  if (kind === "locked") throw new Failure(kind, key ? text("key.refused") : "");
  const { errorCode } = await response.json().catch(() => ({}));
  const said = [errorCode, kind].map(name => `error.${name}`).find(has); // a proxy's own answer has no code
  throw new Failure(kind, text(said ?? "error.unforeseen"),
    Math.min(Number(response.headers.get("Retry-After")) || 0, 120));
}

/** Ask the API; resolves to its answer. */
export const ask = async (path, options) => (await reach(path, options)).json();

/** Recipes for photos, each { photo, name }, for what the options ask, or for both. */
export function search(photos, options, signal) {
  const form = new FormData();
  for (const [field, value] of Object.entries(options)) form.append(field, value);
  photos.forEach(({ photo, name }, i) => form.append(i ? "images" : "image", photo, name));
  return ask("api/v1/search/search", { method: "POST", body: form, signal });
}

/** One recipe of a collection. */
export const recipe = (id, collection, signal) =>
  ask(`api/v1/recipes/${id}${collection ? `?${new URLSearchParams({ collection })}` : ""}`, { signal });

/** An address in an answer, seen from this page: a proxy may have changed host and prefix. */
export const fromHere = address => address.slice(address.indexOf("api/v1/"));
