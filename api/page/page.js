// The page: a photo is chosen or words are said, a search answers, and the browser's history leads back.

import { countdown, foundByAnother, say, show, showFound, shown, showNotice } from "./answer.js";
import { held, hold, photoOf, pick, titleOf, watch } from "./picker.js";
import { addressed, addressOf, asks, fill, form, limits, options, showValues, unlimit } from "./query.js";
import { ask, Failure, fromHere, keepKey, reach, recipe, search, similar } from "./service.js";
import { number, text } from "./texts.js";
import { keep, recall } from "./views.js";

const $ = id => document.getElementById(id);
const [SHARED, PHOTO] = ["itadaki-shared", "shared-photo"]; // the cache and the address that worker.js puts one at
const SKELETON_AFTER = 200; // milliseconds; an answer that comes sooner should not flicker
const MOST_RETRIES = 5;

let running = null; // AbortController of the search in work
let whenOnline = null; // the search that waits for a connection
let timer = 0; // of the skeleton, or of the next try

/** Do `work`, which resolves to a view, and show that, or what went wrong. The view is a new step in the browser's
    history, or `replace`s the present one. */
async function run(work, { replace = false, tries = 0 } = {}) {
  stop();
  const { signal } = (running = new AbortController());
  showValues(true);
  say(text("query.searching"));
  timer = setTimeout(() => show("waiting"), SKELETON_AFTER);
  try {
    const view = await work(signal);
    stop();
    history[replace ? "replaceState" : "pushState"]({ view: keep(view) }, "", addressOf(view));
    render(view);
  } catch (failure) {
    if (failure.name === "AbortError") return; // whatever took over shows its own
    stop();
    explain(failure, () => run(work, { replace, tries: tries + 1 }), tries);
  }
}

function stop() {
  running?.abort();
  running = whenOnline = null;
  clearTimeout(timer);
  showValues();
}

const find = (photo = held, wanted = options(), how = {}) => run(signal => viewOf(photo, wanted, signal), how);

const viewOf = async (photo, wanted, signal) => ({
  photo, wanted,
  answer: await search((await photo?.sent)?.photo, photo?.file.name, wanted, signal),
});

/** More like a recipe, out of the collection that the view it is seen in comes from. */
function findSimilar(like, { photo, wanted: { collection } }) {
  const { words, photo_weight, ...limited } = options();
  const wanted = { ...limited, ...(collection && { collection }) };
  const { id, title, imagePath } = like;
  return run(async signal => ({ photo, wanted, like: { id, title, imagePath }, answer: await similar(id, wanted, signal) }));
}

const tryExample = (address, name, title) => run(async signal => {
  const content = await (await reach(address, { signal })).blob();
  form.words.value = "";
  hold(photoOf(new File([content], name, { type: content.type }), title));
  return viewOf(held, options(), signal);
});

/** Search for what the page's address names. */
function findAddressed({ similar: id, wanted }) {
  fill(wanted);
  const named = async signal => {
    const like = await recipe(id, wanted.collection);
    return { photo: null, wanted, like, answer: await similar(id, wanted, signal) };
  };
  return id ? run(named, { replace: true }) : find(null, wanted, { replace: true });
}

function titleOfView({ photo, like, wanted: { words } }) {
  if (like) return text("found.more-like", like);
  if (words) return text(photo ? "found.like-photo-and-words" : "found.for-words", { words });
  return photo.title ? text("found.like-example", { title: titleOf(photo) }) : text("found.like-photo");
}

function render(view) {
  const { photo, like, wanted, answer } = view, limited = limits(wanted);
  hold(photo ?? null);
  fill(like ? { ...wanted, words: form.words.value } : wanted);
  if (answer.isFood === false && !view.isWanted) {
    const anyway = () => render(Object.assign(view, { isWanted: true }));
    showNotice("no-food", text("notice.no-food-why"), text("notice.show-anyway"), anyway);
  } else if (answer.recipes.length) {
    const asked = like ? fromHere(like.imagePath) : photo?.url;
    showFound({ ...view, limits: limited, asked, title: titleOfView(view) }, recipe => findSimilar(recipe, view));
  } else if (limited.length) {
    const fewer = () => {
      unlimit();
      like ? findSimilar(like, view) : find();
    };
    showNotice("none", text("notice.no-recipe", { limits: limited.join(", ") }), text("notice.without-limits"), fewer);
  } else {
    showNotice("none", text("notice.no-recipes"));
  }
}

function explain(failure, retry, tries) {
  if (!(failure instanceof Failure)) console.error(failure);
  const { kind = "broken", seconds } = failure;
  const message = failure instanceof Failure ? failure.message : text("error.unforeseen");
  if (kind === "locked") {
    showNotice(kind, message || text("notice.key-needed"), text("notice.enter-key"), retry);
    unlock(message, retry);
  } else if (kind === "wrong" || kind === "large") {
    refuse(message, kind);
  } else if (kind === "none") {
    showNotice(kind, message);
  } else {
    showNotice(kind, message, text(kind === "busy" ? "notice.try-now" : "notice.try-again"), retry);
    if (kind === "offline") whenOnline = retry;
    if (kind === "busy" && seconds && tries < MOST_RETRIES) countDown(seconds, retry);
  }
}

function refuse(message, kind = "wrong") {
  stop();
  showNotice(kind, message, text("notice.choose-another"), pick);
}

function countDown(seconds, retry) {
  countdown(text("notice.again-in", { seconds }));
  timer = setTimeout(() => (seconds > 1 ? countDown(seconds - 1, retry) : retry()), 1000);
}

function unlock(refusal, retry) {
  const dialog = $("key"), field = dialog.querySelector("input");
  $("key-why").textContent = refusal || text("key.why");
  dialog.onclose = () => {
    if (dialog.returnValue && field.value) {
      keepKey(field.value);
      offerCollections();
      retry();
    }
    field.value = dialog.returnValue = "";
  };
  dialog.showModal();
}

let health = null;

async function tellServing() {
  health = await ask("health").catch(() => null);
  $("version").textContent = health ? `Itadaki ${health.version}` : "Itadaki";
  $("dataset-notice").textContent = health?.dataset.notice ? text("serving.instead") : "";
  showServing();
}

function showServing() {
  if (!health) {
    $("serving").textContent = text("serving.not");
    return;
  }
  const { recipes, source } = health.dataset, other = form.collection.selectedOptions[0]?.dataset.recipes;
  const [kind, ...name] = other ? ["collection", form.collection.value] : source.split(" ");
  $("serving").textContent = text(`serving.${kind}`, { count: number(Number(other ?? recipes)), name: name.join(" ") });
}

/** Let the user choose where there are several; a service with a key tells them only to those who have it. */
async function offerCollections() {
  const collections = await ask("api/v1/collections").catch(() => []);
  if (collections.length < 2 || form.collection.options.length) return;
  form.collection.append(...collections.map(({ name, isDefault, recipes }) => {
    const option = new Option(text("query.collection-size", { name, count: number(recipes) }), name);
    if (!isDefault) option.dataset.recipes = recipes;
    return option;
  }));
  form.collection.disabled = false;
  form.collection.value = present()?.wanted.collection ?? addressed()?.wanted.collection ?? collections[0].name;
  $("collections").hidden = false;
}

async function offerExamples() {
  const examples = await ask("examples").catch(() => []);
  $("examples-title").hidden = !examples.length;
  for (const { name, title } of examples) {
    const item = $("example").content.cloneNode(true), address = `examples/${encodeURIComponent(name)}`;
    item.querySelector("img").src = address;
    item.querySelector("span").textContent = titleOf({ title, file: { name } });
    item.querySelector("button").addEventListener("click", () => tryExample(address, name, title));
    $("examples").append(item);
  }
}

async function offerDocs() {
  $("docs").hidden = !(await fetch("docs").catch(() => ({ ok: false }))).ok; // a service may have none
}

watch(photo => {
  stop();
  hold(photo);
  showValues();
  if (shown() === "found") foundByAnother();
  else show("welcome"); // a notice was about another photo
  if (photo) say(text("query.chosen", { name: photo.file.name }));
  $("go").focus();
}, refuse);

form.addEventListener("submit", event => {
  event.preventDefault();
  asks() ? find() : pick();
});
form.addEventListener("input", () => showValues(Boolean(running)));
form.collection.addEventListener("change", showServing);
document.querySelector(".skip").addEventListener("click", event => {
  event.preventDefault(); // a step in the browser's history would be taken for one between answers
  $("answer").focus();
});
$("back").addEventListener("click", () => history.back());
addEventListener("popstate", showPresent);
addEventListener("online", () => whenOnline?.());

const present = () => recall(history.state?.view, photoOf);

/** Search with the photo that another application has shared. */
async function findShared() {
  history.replaceState(null, "", location.pathname);
  const cache = await caches.open(SHARED), answer = await cache.match(PHOTO);
  if (!answer) return refuse(text("query.not-shared"));
  await cache.delete(PHOTO);
  const content = await answer.blob(), name = decodeURIComponent(answer.headers.get("X-Name"));
  hold(photoOf(new File([content], name, { type: content.type })));
  return find();
}

/** The worker could not reach a recipe's page. */
function tellUnreachable(path) {
  const again = () => location.replace(path);
  showNotice("offline", text("error.no-answer"), text("notice.try-again"), again);
}

/** Show what the browser's history stands at: after a step in it, after a reload, or when the page is entered. */
function showPresent() {
  stop();
  const view = present(), asked = addressed(), named = new URLSearchParams(location.search);
  if (view) render(view);
  else if (named.has("shared")) findShared();
  else if (/^recipes\/\d+(\?|$)/.test(named.get("unreachable"))) tellUnreachable(named.get("unreachable"));
  else if (asked) findAddressed(asked);
  else show("welcome");
}

$("refine").open = matchMedia("(min-width: 60rem)").matches;
showPresent();
const told = Promise.all([tellServing(), offerExamples(), offerCollections(), offerDocs()]);
told.then(() => {
  showServing();
  document.body.dataset.settled = "";
  navigator.serviceWorker?.register("worker.js").catch(() => { /* without one the page works, but only online */ });
});
