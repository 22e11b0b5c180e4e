// The photos of one dish that are searched with: chosen, taken, pasted or dropped, and shown at once.

import { shrunk } from "./photo.js";
import { counted, has, text } from "./texts.js";

const MOST = 5; // that one search takes
const $ = id => document.getElementById(id);
const preview = $("preview"), instead = document.querySelector(".no-preview");

/** The photos that are shown, the one that can be cropped first: { file, title, url, sent: promise of what shrunk()
    makes of it }. */
export let held = [];

export const photoOf = (file, title) => ({ file, title, url: URL.createObjectURL(file), sent: shrunk(file) });

/** What an example of the service's shows; no other photo has a title. */
export const titleOf = ({ title, file }) => (has(`example.${file.name}`) ? text(`example.${file.name}`) : title);

/** Whether these are the photos that are shown. */
export const areHeld = photos => photos.length === held.length && photos.every((photo, i) => photo === held[i]);

/** Show photos as those to search with. */
export function hold(photos) {
  if (areHeld(photos)) return;
  const [first, ...others] = held = photos, before = preview.src;
  $("query").toggleAttribute("data-photo", Boolean(first));
  document.querySelector(".drop label").hidden = Boolean(first);
  $("stage").hidden = $("photos").hidden = !first;
  $("add").hidden = held.length === MOST;
  $("others").replaceChildren(...others.map(thumbnail));
  describe();
  if (!first) {
    preview.removeAttribute("src");
  } else if (first.url !== before) {
    showPreview(true);
    preview.src = first.url;
  }
}

function describe() {
  const [photo, ...others] = held;
  if (!photo) {
    $("about-photo").textContent = text("query.formats");
    return;
  }
  const name = photo.title ? titleOf(photo) : photo.file.name;
  $("about-photo").textContent = others.length ? counted("query.photos", held.length) : name;
  photo.sent.then(({ isSmaller }) => {
    if (isSmaller && photo === held[0] && held.length === 1) {
      $("about-photo").textContent = text("query.made-smaller", { name });
    }
  });
}

function thumbnail(photo) {
  const item = $("other").content.cloneNode(true).firstElementChild, button = item.querySelector("button");
  item.querySelector("img").src = photo.url;
  button.setAttribute("aria-label", text("query.without-other", { name: photo.file.name }));
  button.addEventListener("click", () => bringOthers(held.filter(other => other !== photo)));
  return item;
}

function showPreview(can) {
  $("picture").hidden = $("about-crop").hidden = !can;
  instead.hidden = can;
}

preview.addEventListener("load", () => {
  $("stage").style.setProperty("--shape", preview.naturalWidth / preview.naturalHeight);
});
preview.addEventListener("error", () => {
  showPreview(false);
  instead.querySelector("strong").textContent = held[0].file.name;
});

let isAdding = false;
let bringOthers = () => { /* watch() knows */ };

/** Let the user choose files. */
export function pick() {
  isAdding = false;
  $("photo").click();
}

/** Call `onPhotos` with the photos to search with, whenever the user brings some or takes one away; `onRefusal` with
    what is wrong with other things. */
export function watch(onPhotos, onRefusal) {
  bringOthers = onPhotos;

  function bring(files, before = []) {
    const wrong = files.find(({ type }) => type && !type.startsWith("image/"));
    if (wrong) onRefusal(text("query.no-picture", { name: wrong.name || text("query.this-file") }));
    else onPhotos([...before, ...files.map(file => photoOf(file))].slice(0, MOST));
  }

  for (const input of [$("photo"), $("camera")]) {
    input.addEventListener("change", () => {
      if (input.files.length) bring([...input.files], isAdding ? held : []);
      isAdding = false;
      input.value = ""; // or the same file could not be chosen twice
    });
  }
  $("another").addEventListener("click", pick);
  $("add").addEventListener("click", () => {
    isAdding = true;
    $("photo").click();
  });
  $("without").addEventListener("click", () => onPhotos(held.slice(1)));
  $("take").addEventListener("click", () => {
    isAdding = false;
    $("camera").click();
  });

  addEventListener("paste", event => {
    const files = [...event.clipboardData.files];
    if (!files.length) return; // text into a field
    event.preventDefault();
    bring(files);
  });

  const intoField = event => event.target.matches?.("input");
  const dragging = on => document.body.classList.toggle("dragging", on);
  addEventListener("dragover", event => {
    if (intoField(event)) return;
    event.preventDefault();
    dragging(true);
  });
  addEventListener("dragleave", event => {
    if (!event.relatedTarget) dragging(false);
  });
  addEventListener("drop", event => {
    dragging(false);
    if (intoField(event)) return;
    event.preventDefault();
    const files = [...event.dataTransfer.files];
    if (files.length) bring(files);
    else onRefusal(text("query.no-file"));
  });
}
