// What the service serves: which recipes, of which collections, and the documentation for developers.

import { form } from "./query.js";
import { ask } from "./service.js";
import { number, text } from "./texts.js";

const $ = id => document.getElementById(id);
let health = null;

/** Ask the service what it serves, and say it. */
export async function tellServing() {
  health = await ask("health").catch(() => null);
  $("version").textContent = health ? `Itadaki ${health.version}` : "Itadaki";
  $("dataset-notice").textContent = health?.dataset.notice ? text("serving.instead") : "";
  showServing();
}

/** Say what is searched. */
export function showServing() {
  if (!health) {
    $("serving").textContent = text("serving.not");
    return;
  }
  const { recipes, source } = health.dataset, other = form.collection.selectedOptions[0]?.dataset.recipes;
  const [kind, ...name] = other ? ["collection", form.collection.value] : source.split(" ");
  $("serving").textContent = text(`serving.${kind}`, { count: number(Number(other ?? recipes)), name: name.join(" ") });
}

/** Let the user choose where there are several; a service with a key tells them only to those who have it. `chosen`
    tells what is chosen already. */
export async function offerCollections(chosen) {
  const collections = await ask("api/v1/collections").catch(() => []);
  if (collections.length < 2 || form.collection.options.length) return;
  form.collection.append(...collections.map(({ name, isDefault, recipes }) => {
    const option = new Option(text("query.collection-size", { name, count: number(recipes) }), name);
    if (!isDefault) option.dataset.recipes = recipes;
    return option;
  }));
  form.collection.disabled = false;
  form.collection.value = chosen() ?? collections[0].name;
  $("collections").hidden = false;
}

/** Lead to the documentation; a service may have none. */
export async function offerDocs() {
  $("docs").hidden = !(await fetch("docs").catch(() => ({ ok: false }))).ok;
}
