// The page of one recipe: share it, copy its ingredients, print it; or open it with the key where one is asked for.

const KEY = "itadaki-key";
const $ = id => document.getElementById(id);
const say = which => ($("status").textContent = $("status").dataset[which]);

async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch { // not without https
    const field = Object.assign(document.createElement("textarea"), { value: words });
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

async function share() {
  const shared = { title: document.querySelector("h1").textContent, url: location.href };
  if (navigator.share) {
    try {
      return await navigator.share(shared);
    } catch (refusal) {
      if (refusal.name === "AbortError") return undefined; // the cook has thought better of it
    }
  }
  return say((await copy(shared.url)) ? "shared" : "failed");
}

async function copyIngredients() {
  const lines = [...document.querySelectorAll(".ingredients li")].map(line => line.textContent);
  say((await copy(lines.join("\n"))) ? "copied" : "failed");
}

/** Fetch this page with the key, and put it in the place of the locked one. */
async function open(key) {
  const answer = await fetch(location.href, { headers: { "X-API-Key": key, Accept: "text/html" } });
  if (answer.status === 401) return false;
  sessionStorage.setItem(KEY, key);
  const opened = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = opened.title;
  document.body.replaceWith(document.adoptNode(opened.body));
  ready();
  return true;
}

async function ready() {
  if ($("share")) {
    document.querySelector(".actions").hidden = false;
    $("share").addEventListener("click", share);
    $("copy").addEventListener("click", copyIngredients);
    $("print").addEventListener("click", () => print());
    $("copy").hidden = !document.querySelector(".ingredients");
  }
  document.querySelector(".recipe img")?.addEventListener("error", event => event.target.remove());
  const form = $("key");
  if (!form) return;
  const kept = sessionStorage.getItem(KEY);
  if (kept && (await open(kept))) return;
  form.hidden = false;
  form.addEventListener("submit", async event => {
    event.preventDefault();
    if (!(await open(form.key.value))) $("refused").hidden = false;
  });
}

ready();
