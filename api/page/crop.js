// The box over the photo that says which part of it is meant: drawn, moved and stretched by touch, mouse or keys.

import { number, text } from "./texts.js";

const $ = id => document.getElementById(id);
const picture = $("picture"), box = $("crop");
const SMALLEST = 0.1, STEP = 0.05, NEARLY_ALL = 0.98; // shares of the photo's sides
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

let x, y, width, height;

const isWhole = () => width === 1 && height === 1;
const within = (value, most) => Math.min(Math.max(value, 0), most);

/** The part as the API takes it; empty for the whole photo. */
export const crop = () => (isWhole() ? "" : [x, y, width, height].map(share => share.toFixed(3)).join());

/** Lay the box around a part, as `crop` gives it. */
export function showCrop(part = "") {
  lay(...(part ? part.split(",").map(Number) : [0, 0, 1, 1]));
}

function lay(...shares) {
  const isAll = shares[2] > NEARLY_ALL && shares[3] > NEARLY_ALL;
  [x, y, width, height] = isAll ? [0, 0, 1, 1] : shares;
  Object.entries({ left: x, top: y, width, height }).forEach(([side, share]) => (box.style[side] = `${share * 100}%`));
  box.toggleAttribute("data-part", !isWhole());
  $("whole").hidden = isWhole();
}

/** Stretch the box between a fixed corner and a point. */
function stretch([cornerX, cornerY], [pointX, pointY]) {
  const span = (from, to) => {
    const long = Math.max(Math.abs(to - from), SMALLEST);
    return [within(to < from ? from - long : from, 1 - long), long];
  };
  const [left, wide] = span(cornerX, pointX), [top, high] = span(cornerY, pointY);
  lay(left, top, wide, high);
}

const move = (byX, byY) => lay(within(x + byX, 1 - width), within(y + byY, 1 - height), width, height);

function place({ clientX, clientY }) {
  const { left, top, width: wide, height: high } = picture.getBoundingClientRect();
  return [within((clientX - left) / wide, 1), within((clientY - top) / high, 1)];
}

/** What following the pointer does from here on, or nothing. */
function grabbed(event) {
  const { corner } = event.target.dataset, from = place(event);
  if (corner) {
    const sides = [[x, x + width], [y, y + height]].map((pair, i) => (corner.includes("nw"[1 - i]) ? pair : pair.reverse()));
    const fixed = sides.map(([, other]) => other), beside = sides.map(([moved], i) => moved - from[i]);
    return point => stretch(fixed, point.map((share, i) => within(share + beside[i], 1)));
  }
  if (box.contains(event.target) && !isWhole()) {
    const [left, top] = [x - from[0], y - from[1]];
    return point => lay(within(left + point[0], 1 - width), within(top + point[1], 1 - height), width, height);
  }
  if (event.pointerType === "touch") return null; // a finger on the photo scrolls the page
  return point => stretch(from, point);
}

/** Call `onChange` whenever the user has changed the part, at each step of a movement; with words for those who do not
    see the box, where it was changed by keys. */
export function watchCrop(onChange) {
  let follow = null;
  picture.addEventListener("pointerdown", event => {
    follow = event.button === 0 ? grabbed(event) : null;
    if (!follow) return;
    event.preventDefault();
    box.focus({ preventScroll: true, focusVisible: false });
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", event => {
    if (!follow || (!event.movementX && !event.movementY)) return;
    follow(place(event));
    onChange();
  });
  for (const end of ["pointerup", "pointercancel"]) picture.addEventListener(end, () => (follow = null));

  box.addEventListener("keydown", event => {
    const by = ARROWS[event.key];
    if (by && event.shiftKey) lay(x, y, ...[width, height].map((side, i) => within(Math.max(side + by[i], SMALLEST), 1 - [x, y][i])));
    else if (by) move(...by);
    else if (event.key === "Escape") showCrop();
    else return;
    event.preventDefault();
    const [left, right, top, bottom] = [x, x + width, y, y + height].map(share => number(share * 100));
    onChange(text("crop.part", { left, right, top, bottom }));
  });
  $("whole").addEventListener("click", () => {
    showCrop();
    box.focus({ preventScroll: true });
    onChange();
  });
}

showCrop();
