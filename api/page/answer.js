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

/** Show one pane; if it has a heading, that is focused and brought into view. */
export function show(pane, heading) {
  for (const each of panes) each.hidden = each.id !== pane;
  document.body.dataset.pane = pane;
  document.title = heading ? `${heading.textContent} · Itadaki` : name;
  if (!heading) return;
  heading.focus({ preventScroll: true });
  const { top } = $("answer").getBoundingClientRect();
  if (top < 0 || top > innerHeight / 4) $("answer").scrollIntoView();
}

/** Tell users who do not see the page. */
export const say = words => ($("status").textContent = words);

/** Show the recipes of a view: { title, asked, photo, limits, answer, wanted, ... }. */
export function showFound({ title, asked, photo, limits, answer, wanted }, onSimilar) {
  const { recipes } = answer, found = counted("found.recipes", recipes.length), picture = $("found").querySelector(".asked");
  $("found-title").textContent = title;
  $("how-many").textContent = [found, ...limits].join(" · ");
  const isFar = (answer.confidence ?? 1) < FAR;
  $("far").textContent = isFar ? text("found.far") : "";
  picture.hidden = !asked;
  if (asked) picture.src = asked;
  $("found").toggleAttribute("data-beside", asked === photo?.url);
  $("recipes").replaceChildren(...recipes.map(recipe => card(recipe, wanted.collection, onSimilar)));
  show("found", $("found-title"));
  say(isFar ? `${found}. ${text("found.far")}` : `${found}.`);
}

/** The photo beside the recipes is another one now than they were found with. */
export const foundByAnother = () => $("found").removeAttribute("data-beside");

/** Say what went wrong, and offer what can be done about it. */
export function showNotice(kind, message, action, act) {
  const pane = $("notice"), button = pane.querySelector("button"), title = text(`notice.${kind}`);
  pane.querySelector("use").setAttribute("href", `#${kind}`);
  $("notice-title").textContent = title;
  pane.querySelector(".standfirst").textContent = message;
  countdown("");
  button.hidden = !action;
  button.textContent = action;
  button.onclick = act;
  show("notice", $("notice-title"));
  say(`${title}. ${message}`);
}

/** The line below a notice that counts the seconds until the next try. */
export const countdown = words => ($("notice").querySelector(".countdown").textContent = words);
