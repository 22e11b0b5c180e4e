// The page: a photo is chosen, a search answers, and the browser's history leads back.

import { countdown, foundByAnother, say, show, showFound, shown, showNotice } from "./answer.js";
import { held, hold, photoOf, pick, watch } from "./picker.js";
import { ask, Failure, fromHere, keep, reach, search, similar } from "./service.js";

const $ = id => document.getElementById(id);
const form = $("query");
const SOURCES = { kaggle: "Kaggle’s recipe dataset", sample: "the sample cookbook" };
const SKELETON_AFTER = 200; // milliseconds; an answer that comes sooner should not flicker
const MOST_RETRIES = 5;

const views = []; // the answers of this visit; the browser's history points into them
let running = null; // AbortController of the search in work
let whenOnline = null; // the search that waits for a connection
let timer = 0; // of the skeleton, or of the next try

/** Do `work`, which resolves to a view, and show that, or what went wrong. */
async function run(work, tries = 0) {
  stop();
  const { signal } = (running = new AbortController());
  label();
  say("Searching");
  timer = setTimeout(() => show("waiting"), SKELETON_AFTER);
  try {
    const view = await work(signal);
    stop();
    views.push(view);
    history.pushState({ view: views.length - 1 }, "");
    render(view);
  } catch (failure) {
    if (failure.name === "AbortError") return; // whatever took over shows its own
    stop();
    explain(failure, () => run(work, tries + 1), tries);
  }
}

function stop() {
  running?.abort();
  running = whenOnline = null;
  clearTimeout(timer);
  label();
}

const label = () => {
  $("go").textContent = running ? "Searching…" : held ? "Find recipes" : "Choose a photo";
};

function options() {
  const { min_similarity, ...others } = Object.fromEntries(new FormData(form));
  return Number(min_similarity) ? { ...others, min_similarity } : others; // 0: no threshold at all
}

const named = ({ include, exclude }) =>
  [include.trim() && `with ${include.trim()}`, exclude.trim() && `without ${exclude.trim()}`].filter(Boolean);

const least = ({ min_similarity }) => (min_similarity ? [`at least ${Number(min_similarity).toFixed(2)} similar`] : []);

const searchPhoto = () => {
  const photo = held, wanted = options();
  return run(signal => photoView(photo, wanted, signal));
};

const photoView = async (photo, wanted, signal) => ({
  photo, wanted,
  title: `Recipes that look like ${photo.title ? `“${photo.title}”` : "your photo"}`,
  asked: photo.url,
  again: searchPhoto,
  answer: await search((await photo.sent).photo, photo.file.name, wanted, signal),
});

/** More like a recipe, out of the collection that the view it is seen in comes from. */
const searchSimilar = (recipe, { photo, wanted: { collection } }) => {
  const wanted = { ...options(), ...(collection && { collection }) };
  return run(async signal => ({
    photo, wanted,
    title: `More like “${recipe.title}”`,
    asked: fromHere(recipe.imagePath),
    again: () => searchSimilar(recipe, { photo, wanted }),
    answer: await similar(recipe.id, wanted, signal),
  }));
};

const searchExample = (address, name, title) => run(async signal => {
  const content = await (await reach(address, { signal })).blob();
  hold(photoOf(new File([content], name, { type: content.type }), title));
  return photoView(held, options(), signal);
});

function render(view) {
  hold(view.photo);
  const names = named(view.wanted), limits = [...names, ...least(view.wanted)];
  if (view.answer.recipes.length) {
    showFound({ ...view, limits }, recipe => searchSimilar(recipe, view));
  } else if (limits.length) {
    const which = ["No recipe", names.join(" and "), ...(least(view.wanted).map(limit => `is ${limit}`))];
    showNotice("none", `${which.filter(Boolean).join(" ")}. Ask for less, and there may be one.`,
      "Search without these limits", () => {
        form.include.value = form.exclude.value = "";
        form.min_similarity.value = 0;
        showValues();
        view.again();
      });
  } else {
    showNotice("none", "There is no recipe to compare with.");
  }
}

function explain(failure, retry, tries) {
  if (!(failure instanceof Failure)) console.error(failure);
  const { kind = "broken", message, seconds } = failure;
  if (kind === "locked") {
    showNotice(kind, message || "It answers only those who have its key.", "Enter the key", retry);
    unlock(message, retry);
  } else if (kind === "wrong" || kind === "large") {
    refuse(message, kind);
  } else {
    showNotice(kind, message, kind === "busy" ? "Try now" : "Try again", retry);
    if (kind === "offline") whenOnline = retry;
    if (kind === "busy" && seconds && tries < MOST_RETRIES) countDown(seconds, retry);
  }
}

function refuse(message, kind = "wrong") {
  stop();
  showNotice(kind, message, "Choose another photo", pick);
}

function countDown(seconds, retry) {
  countdown(`Trying again in ${seconds} s`);
  timer = setTimeout(() => (seconds > 1 ? countDown(seconds - 1, retry) : retry()), 1000);
}

function unlock(refusal, retry) {
  const dialog = $("key"), field = dialog.querySelector("input");
  $("key-why").textContent = refusal || "This service answers only those who have its key. The browser keeps it until this tab is closed.";
  dialog.onclose = () => {
    if (dialog.returnValue && field.value) {
      keep(field.value);
      offerCollections();
      retry();
    }
    field.value = dialog.returnValue = "";
  };
  dialog.showModal();
}

function showValues() {
  $("top_k-value").textContent = form.top_k.value;
  const similarity = Number(form.min_similarity.value);
  $("min_similarity-value").textContent = similarity ? similarity.toFixed(2) : "any";
}

let health = null;

async function tellServing() {
  health = await ask("health").catch(() => null);
  $("version").textContent = health ? `Itadaki ${health.version}` : "Itadaki";
  $("dataset-notice").textContent = health?.dataset.notice ?? "";
  showServing();
}

function showServing() {
  if (!health) {
    $("serving").textContent = "The service does not answer at the moment";
    return;
  }
  const { recipes, source } = health.dataset, other = form.collection.selectedOptions[0]?.dataset;
  const [count, where] = other?.recipes ? [other.recipes, `the collection ${form.collection.value}`] : [recipes, SOURCES[source] ?? `the ${source}`];
  $("serving").textContent = `Searching ${Number(count).toLocaleString("en")} recipes of ${where}`;
}

/** Let the user choose where there are several; a service with a key tells them only to those who have it. */
async function offerCollections() {
  const collections = await ask("api/v1/collections").catch(() => []);
  if (collections.length < 2 || form.collection.options.length) return;
  form.collection.append(...collections.map(({ name, isDefault, recipes }) => {
    const option = new Option(`${name} (${recipes.toLocaleString("en")})`, name);
    if (!isDefault) option.dataset.recipes = recipes;
    return option;
  }));
  form.collection.disabled = false;
  $("collections").hidden = false;
}

async function offerExamples() {
  const examples = await ask("examples").catch(() => []);
  $("examples-title").hidden = !examples.length;
  for (const { name, title } of examples) {
    const item = $("example").content.cloneNode(true), address = `examples/${encodeURIComponent(name)}`;
    item.querySelector("img").src = address;
    item.querySelector("span").textContent = title;
    item.querySelector("button").addEventListener("click", () => searchExample(address, name, title));
    $("examples").append(item);
  }
}

async function offerDocs() {
  $("docs").hidden = !(await fetch("docs").catch(() => ({ ok: false }))).ok; // a service may have none
}

watch(photo => {
  stop();
  hold(photo);
  label();
  if (shown() === "found") foundByAnother();
  else show("welcome"); // a notice was about another photo
  say(`Photo chosen: ${photo.file.name}. Press Find recipes.`);
  $("go").focus();
}, refuse);

form.addEventListener("submit", event => {
  event.preventDefault();
  held ? searchPhoto() : pick();
});
form.addEventListener("input", showValues);
form.collection.addEventListener("change", showServing);
document.querySelector(".skip").addEventListener("click", event => {
  event.preventDefault(); // a step in the browser's history would be taken for one between answers
  $("answer").focus();
});
$("back").addEventListener("click", () => history.back());
addEventListener("popstate", ({ state }) => {
  stop();
  const view = views[state?.view];
  view ? render(view) : show("welcome");
});
addEventListener("online", () => whenOnline?.());

$("refine").open = matchMedia("(min-width: 60rem)").matches;
history.replaceState(null, ""); // answers do not outlive a reload
show("welcome");
showValues();
label();
Promise.all([tellServing(), offerExamples(), offerCollections(), offerDocs()]).then(() => (document.body.dataset.settled = ""));
