// Keeps the page's shell for when there is no connection, and takes the photo that a phone shares. What is found, and
// every photo and recipe, comes from the service alone: nothing of it is kept here.

const SHELL = "itadaki-shell";
const SHARED = "itadaki-shared"; // page.js takes it from there
const { scope } = registration;
const [HOME, SHARE, PHOTO] = ["./", "share", "shared-photo"].map(path => new URL(path, scope).href);

/** The page, and all files that it names. */
async function fill() {
  const cache = await caches.open(SHELL), page = await fetch(HOME, { cache: "no-cache" });
  if (!page.ok) throw new Error(page.status);
  const files = [...(await page.clone().text()).matchAll(/(?:href|src)="(page\/[^"]+)"/g)].map(([, file]) => file);
  await Promise.all([cache.put(HOME, page), cache.addAll([...new Set(files)])]);
}

/** From the service, or else as it was kept. */
async function fresh(request, key) {
  const cache = await caches.open(SHELL);
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected) await cache.put(key, answer.clone());
    return answer;
  } catch (unreachable) {
    const kept = await cache.match(key);
    if (kept) return kept;
    throw unreachable;
  }
}

/** A page that is not kept: the home page says that it cannot be reached. */
const otherPage = request => fetch(request).catch(() => {
  const [wanted] = request.url.slice(scope.length).split("#");
  return Response.redirect(`${HOME}?${new URLSearchParams({ unreachable: wanted })}`);
});

async function share(request) {
  const form = await request.formData(), photo = form.get("image");
  if (photo?.size) {
    const kept = new Response(photo, { headers: { "Content-Type": photo.type, "X-Name": encodeURIComponent(photo.name) } });
    await (await caches.open(SHARED)).put(PHOTO, kept);
    return Response.redirect(`${HOME}?shared`, 303);
  }
  const words = form.get("text") || form.get("title");
  return Response.redirect(words ? `${HOME}?${new URLSearchParams({ words: words.slice(0, 200) })}` : HOME, 303);
}

addEventListener("install", event => event.waitUntil(fill().then(() => skipWaiting())));
addEventListener("activate", event => event.waitUntil(clients.claim()));
addEventListener("fetch", event => {
  const { request } = event, address = request.url.split(/[?#]/)[0];
  if (request.method === "POST" && address === SHARE) event.respondWith(share(request));
  else if (request.method !== "GET" || !address.startsWith(scope)) return;
  else if (request.mode === "navigate" && address === HOME) event.respondWith(fresh(request, HOME));
  else if (request.mode === "navigate" && address.startsWith(`${scope}recipes/`)) event.respondWith(otherPage(request));
  else if (address.startsWith(`${scope}page/`)) event.respondWith(fresh(request, address));
});
