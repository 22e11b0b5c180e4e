// The part of the page that answers: recipes, skeleton, or what went wrong.

import { card } from "./card.js";
import { counted, text } from "./texts.js";

const $ = id => document.getElementById(id);
const panes = ["welcome", "waiting", "found", "notice"].map($);
const name = document.title;
const FAR = 0.05; // confidence below which even the closest recipes are not very close

const blank = $("waiting").querySelector(".card");
blank.after(...Array.from({ length: 3 }, () => blank.cloneNode(true)));

/** Which pane is shown. */
export const shown = () => document.body.dataset.pane;

/** Show one pane; if it has a heading, that is focused and brought into view, unless the user is at something else. */
export function show(pane, heading, isAside = false) {
  for (const each of panes) each.hidden = each.id !== pane;
  document.body.dataset.pane = pane;
  document.title = heading ? `${heading.textContent} · Itadaki` : name;
  if (!heading || isAside) return;
  heading.focus({ preventScroll: true });
  const { top } = $("answer").getBoundingClientRect();
  if (top < 0 || top > innerHeight / 4) $("answer").scrollIntoView();
}

/** Tell users who do not see the page. */
export const say = words => ($("status").textContent = words);

/** Show the recipes of a view; `how` has its title, the picture it was asked with, its limits in words, and isAside as
    `show` has it; `on` what follows the buttons: step, takeBack and further. */
export function showFound(view, { title, asked, limits, isAside }, on) {
  const { photos: [photo], answer } = view, found = counted("found.recipes", answer.recipes.length);
  const picture = $("found").querySelector(".asked");
  $("found-title").textContent = title;
  $("how-many").textContent = [found, ...limits].join(" · ");
  const isFar = (answer.confidence ?? 1) < FAR;
  $("far").textContent = isFar ? text("found.far") : "";
  const { looksLike = [] } = answer;
  $("looks-like").textContent = looksLike.length ? text("found.looks-like", { words: looksLike.join(", ") }) : "";
  picture.hidden = !asked;
  if (asked) picture.src = asked;
  $("found").toggleAttribute("data-beside", asked === photo?.url);
  $("steps").replaceChildren(...view.steps.map(step => stepTaken(step, on.takeBack)));
  $("recipes").replaceChildren(...answer.recipes.map(recipe => card(recipe, view, on.step)));
  offerFurther(view, on.further);
  show("found", $("found-title"), isAside);
  say(isFar ? `${found}. ${text("found.far")}` : `${found}.`);
}

/** Show the last recipes of a view, which came later, below those that are shown. */
export function showFurther(view, count, limits, on) {
  const { recipes } = view.answer, found = counted("found.recipes", recipes.length);
  const more = recipes.slice(recipes.length - count).map(recipe => card(recipe, view, on.step));
  $("how-many").textContent = [found, ...limits].join(" · ");
  $("recipes").append(...more);
  offerFurther(view, on.further);
  show("found", $("found-title"), true); // after a notice, too
  more[0]?.querySelector("h2 a").focus();
  say(`${found}.`);
}

function offerFurther({ isAll }, act) {
  $("further").hidden = isAll;
  $("further").onclick = act;
}

function stepTaken(step, onTakeBack) {
  const item = $("step").content.cloneNode(true).firstElementChild, button = item.querySelector("button");
  button.querySelector("span").textContent = text(`steps.${step.kind}`, step);
  button.setAttribute("aria-label", text("steps.take-back", { step: text(`steps.${step.kind}`, step) }));
  button.addEventListener("click", () => onTakeBack(step));
  return item;
}

/** The photo beside the recipes is another one now than they were found with. */
export const foundByAnother = () => $("found").removeAttribute("data-beside");

/** Say what went wrong, and offer what can be done about it. */
export function showNotice(kind, message, { action, act, isAside } = {}) {
  const pane = $("notice"), button = pane.querySelector("button"), title = text(`notice.${kind}`);
  pane.querySelector("use").setAttribute("href", `#${kind}`);
  $("notice-title").textContent = title;
  pane.querySelector(".standfirst").textContent = message;
  countdown("");
  button.hidden = !action;
  button.textContent = action ?? "";
  button.onclick = act;
  show("notice", $("notice-title"), isAside);
  say(`${title}. ${message}`);
}

/** The line below a notice that counts the seconds until the next try. */
export const countdown = words => ($("notice").querySelector(".countdown").textContent = words);
