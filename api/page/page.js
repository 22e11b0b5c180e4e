// The page: a photo is chosen or words are said, a search answers, and the browser's history leads back.

import { countdown, foundByAnother, say, show, showFound, showFurther, shown, showNotice } from "./answer.js";
import { showCrop, watchCrop } from "./crop.js";
import { areHeld, held, hold, photoOf, pick, titleOf, watch } from "./picker.js";
import { addressed, addressOf, asks, fillFrom, form, limits, options, setSteps, showValues, steps, unlimit } from "./query.js";
import { ask, Failure, fromHere, keepKey, reach, recipe, search } from "./service.js";
import { offerCollections, offerDocs, showServing, tellServing } from "./serving.js";
import { text } from "./texts.js";
import { keep, recall } from "./views.js";

const $ = id => document.getElementById(id);
const [SHARED, PHOTO] = ["itadaki-shared", "shared-photo"]; // the cache and the address that worker.js puts one at
const SKELETON_AFTER = 200; // milliseconds; an answer that comes sooner should not flicker
const REFINE_AFTER = 400; // milliseconds in which the box over the photo has stood still
const MOST_RETRIES = 5;
const MOST_SHOWN = 1000; // the last offset that a search takes
const MOST_ADDRESSED = 50; // recipes that an address brings back

let running = null; // AbortController of the search in work
let whenOnline = null; // the search that waits for a connection
let timer = 0; // of the skeleton, or of the next try
let refining = 0; // timer of the search that follows the box over the photo

/** Do `work`, which resolves to a view, and show that, or what went wrong. The view is a new step in the browser's
    history, or `replace`s the present one; `isAside` while the user is at something else than the answer. */
async function run(work, { replace = false, isAside = false, tries = 0, draw = render } = {}) {
  stop();
  const { signal } = (running = new AbortController());
  showValues(true);
  say(text("query.searching"));
  if (!isAside) timer = setTimeout(() => show("waiting"), SKELETON_AFTER);
  try {
    const view = await work(signal);
    stop();
    const id = keep(view, replace ? history.state?.view : undefined);
    history[replace ? "replaceState" : "pushState"]({ view: id }, "", addressOf(view));
    draw(view, isAside);
    return view;
  } catch (failure) {
    if (failure.name === "AbortError") return null; // whatever took over shows its own
    stop();
    explain(failure, () => run(work, { replace, draw, tries: tries + 1 }), tries);
    return null;
  }
}

function stop() {
  running?.abort();
  running = whenOnline = null;
  clearTimeout(timer);
  clearTimeout(refining);
  showValues();
}

/** Search with what the form holds. */
function find(how) {
  const [photos, wanted, taken] = [held, options(), steps];
  return run(signal => viewOf(photos, wanted, taken, signal), how);
}

async function viewOf(photos, wanted, taken, signal) {
  const answer = await askFor(photos, wanted, signal);
  return { photos, wanted, steps: taken, answer, isAll: answer.recipes.length < Number(wanted.top_k) };
}

const askFor = async (photos, wanted, signal) => {
  const sent = await Promise.all(photos.map(async ({ file: { name }, sent }) => ({ name, photo: (await sent).photo })));
  return search(sent, wanted, signal);
};

/** The recipes that follow those of a view, of which `draw` shows how many came. */
function further(view, draw = (more, count) => showFurther(more, count, limits(more.wanted), acts(more))) {
  const { photos, wanted, answer: { recipes } } = view;
  let count;
  return run(async signal => {
    const more = (await askFor(photos, { ...wanted, offset: recipes.length }, signal)).recipes;
    count = more.length;
    const all = [...recipes, ...more];
    return { ...view, answer: { ...view.answer, recipes: all }, isAll: count < Number(wanted.top_k) || all.length > MOST_SHOWN };
  }, { replace: true, isAside: true, draw: more => draw(more, count) });
}

/** Go on from a view, in the collection that it comes from, with these steps. */
function findWith(taken, { wanted: { collection } }) {
  setSteps(taken);
  if (collection && form.collection.options.length) form.collection.value = collection;
  return asks() ? find() : leave();
}

/** Nothing is asked for any more. */
function leave() {
  stop();
  history.pushState(null, "", location.pathname);
  show("welcome");
}

const acts = view => ({
  step: (kind, { id, title, imagePath }) => findWith([...view.steps, { kind, id, title, imagePath }], view),
  takeBack: ({ id }) => findWith(view.steps.filter(step => step.id !== id), view),
  further: () => further(view),
});

/** Photos of another dish than before. */
function take(photos) {
  hold(photos);
  setSteps([]);
  showCrop();
}

const tryExample = (address, name, title) => run(async signal => {
  const content = await (await reach(address, { signal })).blob();
  form.words.value = "";
  take([photoOf(new File([content], name, { type: content.type }), title)]);
  return viewOf(held, options(), steps, signal);
});

/** Search for what the page's address names. */
async function findAddressed({ wanted, like, unlike, shown: count }) {
  hold([]);
  fillFrom({ wanted, steps: [] });
  let view = await run(async signal => {
    const told = (kind, ids) => ids.map(async id => ({ kind, ...(await recipe(id, wanted.collection, signal)) }));
    const named = await Promise.all([...told("like", like), ...told("unlike", unlike)]);
    setSteps(named.map(({ kind, id, title, imagePath }) => ({ kind, id, title, imagePath })));
    return viewOf([], { ...wanted, ...options() }, steps, signal);
  }, { replace: true });
  while (view && !view.isAll && view.answer.recipes.length < Math.min(count, MOST_ADDRESSED)) {
    view = await further(view, more => render(more));
  }
}

function titleOfView({ photos, steps: taken, wanted: { words } }) {
  if (words) return text(photos.length ? "found.like-photo-and-words" : "found.for-words", { words });
  const [photo] = photos, [first, ...others] = taken.filter(({ kind }) => kind === "like");
  if (photos.length > 1) return text("found.like-photos");
  if (photo) return photo.title ? text("found.like-example", { title: titleOf(photo) }) : text("found.like-photo");
  return others.length ? text("found.like-these") : text("found.more-like", first);
}

function render(view, isAside = false) {
  const { photos: [photo], steps: [step], wanted, answer } = view, limited = limits(wanted);
  if (answer.isFood === false && !view.isWanted) {
    const anyway = () => render(Object.assign(view, { isWanted: true }));
    showNotice("no-food", text("notice.no-food-why"), { action: text("notice.show-anyway"), act: anyway, isAside });
  } else if (answer.recipes.length) {
    const asked = photo?.url ?? (wanted.words ? "" : fromHere(step.imagePath));
    showFound(view, { title: titleOfView(view), asked, limits: limited, isAside }, acts(view));
  } else if (limited.length) {
    const fewer = () => {
      unlimit();
      find();
    };
    const message = text("notice.no-recipe", { limits: limited.join(", ") });
    showNotice("none", message, { action: text("notice.without-limits"), act: fewer, isAside });
  } else {
    showNotice("none", text("notice.no-recipes"), { isAside });
  }
}

function explain(failure, retry, tries) {
  if (!(failure instanceof Failure)) console.error(failure);
  const { kind = "broken", seconds } = failure;
  const message = failure instanceof Failure ? failure.message : text("error.unforeseen");
  if (kind === "locked") {
    showNotice(kind, message || text("notice.key-needed"), { action: text("notice.enter-key"), act: retry });
    unlock(message, retry);
  } else if (kind === "wrong" || kind === "large") {
    refuse(message, kind);
  } else if (kind === "none") {
    showNotice(kind, message);
  } else {
    showNotice(kind, message, { action: text(kind === "busy" ? "notice.try-now" : "notice.try-again"), act: retry });
    if (kind === "offline") whenOnline = retry;
    if (kind === "busy" && seconds && tries < MOST_RETRIES) countDown(seconds, retry);
  }
}

function refuse(message, kind = "wrong") {
  stop();
  showNotice(kind, message, { action: text("notice.choose-another"), act: pick });
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
      offerCollections(collectionAsked);
      retry();
    }
    field.value = dialog.returnValue = "";
  };
  dialog.showModal();
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

watch(photos => {
  const isOther = photos[0] !== held[0], isOtherDish = !photos.some(photo => held.includes(photo));
  hold(photos);
  if (isOther) showCrop();
  if (photos.length) {
    if (isOtherDish) setSteps([]);
    find();
    return;
  }
  stop();
  if (shown() === "found") foundByAnother();
  else show("welcome"); // a notice was about another photo
  $("go").focus();
}, refuse);

watchCrop((part = "") => {
  say(part);
  clearTimeout(refining);
  refining = setTimeout(() => find({ isAside: true, replace: areHeld(present()?.photos ?? []) }), REFINE_AFTER);
});

form.addEventListener("submit", event => {
  event.preventDefault();
  asks() ? find() : pick();
});
form.addEventListener("input", () => showValues(Boolean(running)));
form.collection.addEventListener("change", () => {
  setSteps([]); // another collection has other recipes
  showServing();
});
document.querySelector(".skip").addEventListener("click", event => {
  event.preventDefault(); // a step in the browser's history would be taken for one between answers
  $("answer").focus();
});
$("back").addEventListener("click", () => history.back());
addEventListener("popstate", showPresent);
addEventListener("online", () => whenOnline?.());

const present = () => recall(history.state?.view, photoOf);
const collectionAsked = () => present()?.wanted.collection ?? addressed()?.wanted.collection;

/** Search with the photo that another application has shared. */
async function findShared() {
  history.replaceState(null, "", location.pathname);
  const cache = await caches.open(SHARED), answer = await cache.match(PHOTO);
  if (!answer) return refuse(text("query.not-shared"));
  await cache.delete(PHOTO);
  const content = await answer.blob(), name = decodeURIComponent(answer.headers.get("X-Name"));
  take([photoOf(new File([content], name, { type: content.type }))]);
  return find();
}

/** The worker could not reach a recipe's page. */
function tellUnreachable(path) {
  const again = () => location.replace(path);
  showNotice("offline", text("error.no-answer"), { action: text("notice.try-again"), act: again });
}

/** Show what the browser's history stands at: after a step in it, after a reload, or when the page is entered. */
function showPresent() {
  stop();
  const view = present(), asked = addressed(), named = new URLSearchParams(location.search);
  if (view) {
    hold(view.photos);
    fillFrom(view);
    render(view);
  }
  else if (named.has("shared")) findShared();
  else if (/^recipes\/\d+(\?|$)/.test(named.get("unreachable"))) tellUnreachable(named.get("unreachable"));
  else if (asked) findAddressed(asked);
  else show("welcome");
}

$("refine").open = matchMedia("(min-width: 60rem)").matches;
showPresent();
const told = Promise.all([tellServing(), offerExamples(), offerCollections(collectionAsked), offerDocs()]);
told.then(() => {
  showServing();
  document.body.dataset.settled = "";
  navigator.serviceWorker?.register("worker.js").catch(() => { /* without one the page works, but only online */ });
});
