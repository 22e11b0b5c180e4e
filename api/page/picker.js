// The photo that is searched with: chosen, taken, pasted or dropped, and shown at once.

import { shrunk } from "./photo.js";
import { has, text } from "./texts.js";

const $ = id => document.getElementById(id);
const preview = $("preview"), instead = document.querySelector(".no-preview");

/** The photo that is shown, or null: { file, title, url, sent: promise of what shrunk() makes of it }. */
export let held = null;

export const photoOf = (file, title) => ({ file, title, url: URL.createObjectURL(file), sent: shrunk(file) });

/** What an example of the service's shows; no other photo has a title. */
export const titleOf = ({ title, file }) => (has(`example.${file.name}`) ? text(`example.${file.name}`) : title);

/** Show a photo as the one to search with; null if there shall be none. */
export function hold(photo) {
  if (photo === held) return;
  held = photo;
  $("query").toggleAttribute("data-photo", Boolean(photo));
  preview.hidden = $("another").hidden = $("without").hidden = !photo;
  instead.hidden = true;
  if (!photo) {
    preview.removeAttribute("src");
    $("about-photo").textContent = text("query.formats");
    return;
  }
  preview.src = photo.url;
  const name = ($("about-photo").textContent = photo.title ? titleOf(photo) : photo.file.name);
  photo.sent.then(({ isSmaller }) => {
    if (isSmaller && photo === held) $("about-photo").textContent = text("query.made-smaller", { name });
  });
}

/** Let the user choose a file. */
export const pick = () => $("photo").click();

/** Call `onPhoto` with each photo that the user brings, and with null when it is taken away again; `onRefusal` with what
    is wrong with other things. */
export function watch(onPhoto, onRefusal) {
  function bring(file) {
    if (file.type && !file.type.startsWith("image/")) {
      onRefusal(text("query.no-picture", { name: file.name || text("query.this-file") }));
    } else {
      onPhoto(photoOf(file));
    }
  }

  for (const input of [$("photo"), $("camera")]) {
    input.addEventListener("change", () => {
      if (input.files.length) bring(input.files[0]);
      input.value = ""; // or the same file could not be chosen twice
    });
  }
  $("another").addEventListener("click", pick);
  $("without").addEventListener("click", () => onPhoto(null));
  $("take").addEventListener("click", () => $("camera").click());

  addEventListener("paste", event => {
    const [file] = event.clipboardData.files;
    if (!file) return; // text into a field
    event.preventDefault();
    bring(file);
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
    const [file] = event.dataTransfer.files;
    if (file) bring(file);
    else onRefusal(text("query.no-file"));
  });
}

preview.addEventListener("error", () => {
  preview.hidden = true;
  instead.hidden = false;
  instead.querySelector("strong").textContent = held.file.name;
});
