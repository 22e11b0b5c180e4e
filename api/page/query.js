// What is searched for beside the photos: the form's fields, the recipes to be like and unlike, the address that holds
// them, and how they are told.

import { crop, showCrop } from "./crop.js";
import { held } from "./picker.js";
import { number, text } from "./texts.js";

const $ = id => document.getElementById(id);
const FIELDS = ["words", "top_k", "min_similarity", "include", "exclude", "collection"];
const MOST_STEPS = 10; // of a kind that one search takes

export const form = $("query");
const defaults = Object.fromEntries(FIELDS.map(field => [field, form[field].value]));

/** The recipes that what is found shall be like and unlike: { kind: "like" or "unlike", id, title, imagePath }. */
export let steps = [];
export const setSteps = given => (steps = given);
export const idsOf = (kind, given = steps) => given.filter(step => step.kind === kind).map(({ id }) => id).join();

/** Whether a step of this kind can be taken after those of a view. */
export const canStep = (kind, { steps }) => steps.filter(step => step.kind === kind).length < MOST_STEPS;

/** Whether there is anything to search for yet. */
export const asks = () => Boolean(held.length || form.words.value.trim() || idsOf("like"));

/** What is asked for as the API takes it, but for the photos; what asks for nothing is left out. */
export function options() {
  const { min_similarity, photo_weight, ...others } = Object.fromEntries(
    [...new FormData(form)].map(([field, value]) => [field, value.trim()]).filter(([, value]) => value));
  const more = { crop: held.length && crop(), like: idsOf("like"), unlike: idsOf("unlike") };
  return {
    ...others,
    ...Object.fromEntries(Object.entries(more).filter(([, value]) => value)),
    ...(Number(min_similarity) && { min_similarity }), // 0: no threshold at all
    ...(held.length && others.words && { photo_weight }),
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

/** Put all that a view was found with into the form. */
export function fillFrom({ wanted, steps }) {
  setSteps(steps);
  showCrop(wanted.crop);
  fill(wanted);
}

/** The page's address that leads to a view again; a photo is in no address. */
export function addressOf({ photos, wanted, answer }) {
  if (photos.length) return location.pathname;
  const named = Object.entries(wanted).filter(([field, value]) => value !== defaults[field]);
  const count = answer.recipes.length, isMore = count > Number(wanted.top_k);
  return `?${new URLSearchParams({ ...Object.fromEntries(named), ...(isMore && { shown: count }) })}`;
}

/** What the address asks for, { wanted, like and unlike: lists of ids, shown: how many recipes }, or null. */
export function addressed() {
  const named = new URLSearchParams(location.search);
  const wanted = { top_k: defaults.top_k };
  for (const field of FIELDS) {
    if (named.get(field)) wanted[field] = named.get(field);
  }
  const [like, unlike] = ["like", "unlike"].map(kind => (named.get(kind) ?? "").match(/\d{1,15}/g)?.slice(0, MOST_STEPS) ?? []);
  return wanted.words || like.length ? { wanted, like, unlike, shown: Number(named.get("shown")) || 0 } : null;
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
  $("weight").hidden = !held.length || !form.words.value.trim();
  form.toggleAttribute("data-asks", asks());
  $("answer").setAttribute("aria-busy", searching);
  $("go").textContent = text(searching ? "query.searching" : asks() ? "query.find" : "query.choose");
}
