const status = document.getElementById("status"), recipes = document.getElementById("recipes");
const element = (name, text, className = "") =>
  Object.assign(document.createElement(name), { textContent: text, className });

fetch("health").then(answer => answer.json()).then(health => {
  document.getElementById("serving").textContent =
    `Serving ${health.dataset.recipes.toLocaleString()} recipes from ${health.dataset.source}, ` +
    `model ${health.variant}. ${health.dataset.notice ?? ""}`;
});

function card(recipe) {
  const item = document.createElement("li"), text = document.createElement("div");
  const photo = Object.assign(new Image(), { src: recipe.imagePath, alt: "" });
  text.append(element("h2", recipe.title));
  text.append(element("p", `similarity ${recipe.similarity.toFixed(3)}`, "quiet"));
  if (recipe.ingredientList.length || recipe.instructions) {
    const details = document.createElement("details"), list = document.createElement("ul");
    list.append(...recipe.ingredientList.map(ingredient => element("li", ingredient)));
    details.append(element("summary", "Recipe"), list, element("p", recipe.instructions, "instructions"));
    text.append(details);
  }
  item.append(photo, text);
  return item;
}

document.querySelector("form").addEventListener("submit", async event => {
  event.preventDefault();
  const form = event.target, button = form.querySelector("button");
  button.disabled = true;
  status.textContent = "Searching ...";
  recipes.replaceChildren();
  try {
    const answer = await (await fetch("api/v1/search/search", { method: "POST", body: new FormData(form) })).json();
    status.textContent = answer.success
      ? `${answer.totalResults} recipes in ${answer.processingTime.toFixed(2)} s` : answer.errorMessage;
    recipes.replaceChildren(...answer.recipes.map(card));
  } catch {
    status.textContent = "The service cannot be reached.";
  }
  button.disabled = false;
});
