// One recipe found, as a card.

import { canStep } from "./query.js";
import { fromHere } from "./service.js";
import { has, number, text } from "./texts.js";

const FEW = 6; // ingredients that a card shows at first
const MORE = 12; // the first, wider card

const element = (name, ...content) => {
  const made = document.createElement(name);
  made.append(...content);
  return made;
};
const items = (texts, words) => texts.map(line => element("li", ...marked(line, words)));
const missing = textContent => Object.assign(document.createElement("p"), { className: "missing", textContent });

/** A text in parts, with the words that a photo looks like marked, whatever their endings. */
function marked(line, words = []) {
  if (!words.length) return [line];
  const stems = words.map(word => word.replace(/(y|ies|e?s)$/, "").replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  const named = new RegExp(`(?<!\\p{L})((?:${stems.join("|")})(?:y|ies|e?s)?)(?!\\p{L})`, "iu");
  return line.split(named).map((part, i) => (i % 2 ? element("mark", part) : part));
}

/** The card of a recipe of a view; `onStep` is called with a kind, "like" or "unlike", when the next search shall be
    more like it or less. */
export function card(recipe, { wanted: { collection }, steps }, onStep) {
  const item = document.getElementById("card").content.cloneNode(true).firstElementChild;
  const part = selector => item.querySelector(selector);

  const photo = part("img");
  photo.addEventListener("error", () => photo.remove()); // the drawing behind it shows
  photo.src = fromHere(recipe.imagePath);

  const dish = has(`dish.${recipe.dishClass}`) ? text(`dish.${recipe.dishClass}`) : recipe.dishClass;
  part(".tag").textContent = [recipe.rank === 1 && text("found.closest"), dish].filter(Boolean).join(" · ");
  part("h2 a").append(...marked(recipe.title, recipe.named));
  part("h2 a").href = part("a.photo").href =
    `recipes/${recipe.id}${collection ? `?${new URLSearchParams({ collection })}` : ""}`;
  part(".similarity b").textContent = number(recipe.similarity, 2);
  part(".bar > span").style.width = `${Math.max(0, recipe.similarity) * 100}%`;

  list(part(".ingredients"), part(".all"), recipe.ingredientList, recipe.named, recipe.rank === 1 ? MORE : FEW);
  method(part(".method"), recipe.instructions);
  facts(part(".facts"), recipe);

  for (const button of item.querySelectorAll(".steer button")) {
    const { kind } = button.dataset;
    button.hidden = !canStep(kind, { steps });
    button.setAttribute("aria-label", text(kind === "like" ? "found.more-of" : "found.not-of", recipe));
    button.addEventListener("click", () => onStep(kind, recipe));
  }
  return item;
}

function list(shown, button, ingredients, named, few) {
  if (!ingredients.length) {
    shown.replaceWith(missing(text("recipe.no-ingredients")));
    button.remove();
    return;
  }
  if (ingredients.length <= few + 1) few = ingredients.length; // a button for one line is no gain
  const show = all => {
    shown.replaceChildren(...items(all ? ingredients : ingredients.slice(0, few), named));
    button.textContent = all ? text("found.show-fewer") : text("found.show-all", { count: ingredients.length });
    button.setAttribute("aria-expanded", all);
  };
  show(false);
  button.hidden = few === ingredients.length;
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") === "false"));
}

function facts(line, { servings, totalMinutes, prepMinutes, cookMinutes, keywords = [], source }) {
  const minutes = totalMinutes || prepMinutes + cookMinutes;
  const texts = [servings && (/^[\d\s–-]+$/.test(servings) ? text("recipe.serves", { servings }) : servings), minutes && lasting(minutes)];
  line.textContent = [...texts, keywords.join(", ")].filter(Boolean).join(" · ");
  if (/^https?:\/\//i.test(source)) {
    const link = Object.assign(document.createElement("a"), { href: source, textContent: text("recipe.source"), rel: "noreferrer" });
    line.append(line.textContent && " · ", link);
  }
  line.hidden = !line.textContent;
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
