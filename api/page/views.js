// The answers of this visit. The tab's storage keeps them, so that they outlive a reload, and ends with it.

const MOST = 20;
const LIST = "itadaki-views";
const views = new Map();
const photos = new Map();

let storage = null;
try {
  storage = sessionStorage;
} catch { /* a browser that stores nothing forgets the answers with a reload */ }

const name = id => `itadaki-view-${id}`;
const photoName = id => `itadaki-photo-${id}`;
const fresh = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 8);

/** Keep a view, as a new one or in the place of the one of this id; returns the id by which `recall` finds it. */
export function keep(view, id = fresh()) {
  views.set(id, view);
  if (storage) store(id, view).catch(() => { /* the photo's file is gone by now */ });
  return id;
}

/** The view of this id, or undefined; `photoOf` makes a photo of what was kept of one. */
export function recall(id, photoOf) {
  if (views.has(id) || !storage || !id) return views.get(id);
  try {
    const view = JSON.parse(storage.getItem(name(id)));
    view.photos = view.photos.map(photo => photos.get(photo) ?? revived(photo, photoOf));
    views.set(id, view);
    return view;
  } catch {
    return undefined; // it had to make room for others
  }
}

function revived(id, photoOf) {
  const { title, name, type, content } = JSON.parse(storage.getItem(photoName(id)));
  const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
  const photo = photoOf(new File([bytes], name, { type }), title);
  photo.id = id;
  photos.set(id, photo);
  return photo;
}

async function store(id, view) {
  for (const photo of view.photos) {
    photo.id ??= fresh();
    photos.set(photo.id, photo);
    if (storage.getItem(photoName(photo.id))) continue;
    const { photo: sent } = await photo.sent;
    const { title, file } = photo;
    put(photoName(photo.id), { title, name: file.name, type: sent.type, content: await base64(sent) });
  }
  put(name(id), { ...view, photos: view.photos.map(photo => photo.id) });
  if (!list().includes(id)) put(LIST, [...list(), id]);
  while (list().length > MOST) forgetOldest();
}

const list = () => JSON.parse(storage.getItem(LIST) ?? "[]");

function put(key, value) {
  for (;;) {
    try {
      return storage.setItem(key, JSON.stringify(value));
    } catch {
      if (!forgetOldest()) return undefined; // larger than all the room there is
    }
  }
}

function forgetOldest() {
  const [oldest, ...others] = list();
  if (!oldest) return false;
  const needed = others.flatMap(photosIn);
  for (const photo of photosIn(oldest)) {
    if (!needed.includes(photo)) storage.removeItem(photoName(photo));
  }
  storage.removeItem(name(oldest));
  storage.setItem(LIST, JSON.stringify(others));
  return true;
}

const photosIn = id => JSON.parse(storage.getItem(name(id)) ?? "{}").photos ?? [];

const base64 = async blob => {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
};
