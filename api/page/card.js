// One recipe found, as a card.

import { fromHere } from "./service.js";
import { has, number, text } from "./texts.js";

const FEW = 6; // ingredients that a card shows at first
const MORE = 12; // the first, wider card

const items = texts => texts.map(textContent => Object.assign(document.createElement("li"), { textContent }));
const missing = textContent => Object.assign(document.createElement("p"), { className: "missing", textContent });

/** The card of a recipe; `onSimilar` is called when more like it are wanted. */
export function card(recipe, collection, onSimilar) {
  const item = document.getElementById("card").content.cloneNode(true).firstElementChild;
  const part = selector => item.querySelector(selector);

  const photo = part("img");
  photo.addEventListener("error", () => photo.remove()); // the drawing behind it shows
  photo.src = fromHere(recipe.imagePath);

  const dish = has(`dish.${recipe.dishClass}`) ? text(`dish.${recipe.dishClass}`) : recipe.dishClass;
  part(".tag").textContent = [recipe.rank === 1 && text("found.closest"), dish].filter(Boolean).join(" · ");
  part("h2 a").textContent = recipe.title;
  part("h2 a").href = part("a.photo").href =
    `recipes/${recipe.id}${collection ? `?${new URLSearchParams({ collection })}` : ""}`;
  part(".similarity b").textContent = number(recipe.similarity, 2);
  part(".bar > span").style.width = `${Math.max(0, recipe.similarity) * 100}%`;

  list(part(".ingredients"), part(".all"), recipe.ingredientList, recipe.rank === 1 ? MORE : FEW);
  method(part(".method"), recipe.instructions);
  facts(part(".facts"), recipe);

  const similar = part(".similar");
  similar.setAttribute("aria-label", text("found.more-of", recipe));
  similar.addEventListener("click", () => onSimilar(recipe));
  return item;
}

function list(element, button, ingredients, few) {
  if (!ingredients.length) {
    element.replaceWith(missing(text("recipe.no-ingredients")));
    button.remove();
    return;
  }
  if (ingredients.length <= few + 1) few = ingredients.length; // a button for one line is no gain
  const show = all => {
    element.replaceChildren(...items(all ? ingredients : ingredients.slice(0, few)));
    button.textContent = all ? text("found.show-fewer") : text("found.show-all", { count: ingredients.length });
    button.setAttribute("aria-expanded", all);
  };
  show(false);
  button.hidden = few === ingredients.length;
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") === "false"));
}

function facts(element, { servings, totalMinutes, prepMinutes, cookMinutes, keywords = [], source }) {
  const minutes = totalMinutes || prepMinutes + cookMinutes;
  const texts = [servings && (/^[\d\s–-]+$/.test(servings) ? text("recipe.serves", { servings }) : servings), minutes && lasting(minutes)];
  element.textContent = [...texts, keywords.join(", ")].filter(Boolean).join(" · ");
  if (/^https?:\/\//i.test(source)) {
    const link = Object.assign(document.createElement("a"), { href: source, textContent: text("recipe.source"), rel: "noreferrer" });
    element.append(element.textContent && " · ", link);
  }
  element.hidden = !element.textContent;
}

const lasting = minutes => [
  minutes >= 60 && text("recipe.hours", { hours: number(Math.floor(minutes / 60)) }),
  minutes % 60 && text("recipe.minutes", { minutes: minutes % 60 }),
].filter(Boolean).join(" ");

function method(details, instructions) {
  const steps = instructions.split("\n").map(step => step.trim()).filter(Boolean);
  if (!steps.length) {
    details.replaceWith(missing(text("recipe.no-method")));
    return;
  }
  const list = document.createElement(steps.length > 1 ? "ol" : "ul");
  list.append(...items(steps));
  details.append(list);
}
