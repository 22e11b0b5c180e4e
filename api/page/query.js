// What is searched for beside the photo: the form's fields, the address that holds them, and how they are told.

import { held } from "./picker.js";
import { number, text } from "./texts.js";

const $ = id => document.getElementById(id);
const FIELDS = ["words", "top_k", "min_similarity", "include", "exclude", "collection"];

export const form = $("query");
const defaults = Object.fromEntries(FIELDS.map(field => [field, form[field].value]));

/** Whether there is anything to search for yet. */
export const asks = () => Boolean(held || form.words.value.trim());

/** The fields as the API takes them; those that ask for nothing are left out. */
export function options() {
  const { min_similarity, photo_weight, ...others } = Object.fromEntries(
    [...new FormData(form)].map(([field, value]) => [field, value.trim()]).filter(([, value]) => value));
  return {
    ...others,
    ...(Number(min_similarity) && { min_similarity }), // 0: no threshold at all
    ...(held && others.words && { photo_weight }),
  };
}

/** Put what a search wanted into the fields. */
export function fill(wanted, fields = FIELDS) {
  for (const field of fields) {
    if (field !== "collection") form[field].value = wanted[field] ?? defaults[field];
  }
  if (wanted.photo_weight) form.photo_weight.value = wanted.photo_weight;
  if (wanted.collection && form.collection.options.length) form.collection.value = wanted.collection;
  showValues();
}

/** The page's address that leads to a view again; a photo is in no address. */
export function addressOf({ photo, like, wanted }) {
  if (photo && !like) return location.pathname;
  const named = Object.entries(wanted).filter(([field, value]) => value !== defaults[field]);
  return `?${new URLSearchParams({ ...(like && { similar: like.id }), ...Object.fromEntries(named) })}`;
}

/** What the address asks for, { similar, wanted }, or null. */
export function addressed() {
  const named = new URLSearchParams(location.search);
  const wanted = { top_k: defaults.top_k };
  for (const field of FIELDS) {
    if (named.get(field)) wanted[field] = named.get(field);
  }
  const similar = named.get("similar");
  if (!similar && !wanted.words) return null;
  if (similar) delete wanted.words;
  return { similar, wanted };
}

/** What a search was limited to, in words. */
export const limits = ({ include, exclude, min_similarity }) => [
  include && text("found.with", { ingredients: include }),
  exclude && text("found.without", { ingredients: exclude }),
  min_similarity && text("found.at-least", { similarity: number(Number(min_similarity), 2) }),
].filter(Boolean);

/** Take the limits away. */
export const unlimit = () => fill({}, ["include", "exclude", "min_similarity"]);

/** Show what the sliders stand at, and what can be done now. */
export function showValues(searching = false) {
  $("top_k-value").textContent = form.top_k.value;
  const similarity = Number(form.min_similarity.value);
  $("min_similarity-value").textContent = similarity ? number(similarity, 2) : text("query.any-similarity");
  $("weight").hidden = !held || !form.words.value.trim();
  form.toggleAttribute("data-asks", asks());
  $("go").textContent = text(searching ? "query.searching" : asks() ? "query.find" : "query.choose");
}
