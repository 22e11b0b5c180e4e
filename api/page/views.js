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

/** Keep a view; returns the id by which `recall` finds it. */
export function keep(view) {
  const id = fresh();
  views.set(id, view);
  if (storage) store(id, view).catch(() => { /* the photo's file is gone by now */ });
  return id;
}

/** The view of this id, or undefined; `photoOf` makes a photo of what was kept of one. */
export function recall(id, photoOf) {
  if (views.has(id) || !storage || !id) return views.get(id);
  try {
    const { photo, ...view } = JSON.parse(storage.getItem(name(id)));
    view.photo = photo && (photos.get(photo) ?? revived(photo, photoOf));
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

async function store(id, { photo, ...view }) {
  if (photo && !photo.id) {
    photo.id = fresh();
    photos.set(photo.id, photo);
  }
  if (photo && !storage.getItem(photoName(photo.id))) {
    const { photo: sent } = await photo.sent;
    const { title, file } = photo;
    put(photoName(photo.id), { title, name: file.name, type: sent.type, content: await base64(sent) });
  }
  const kept = list();
  put(name(id), { ...view, photo: photo?.id });
  put(LIST, [...kept, id]);
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
  const photo = photoIn(oldest);
  storage.removeItem(name(oldest));
  if (photo && !others.some(other => photoIn(other) === photo)) storage.removeItem(photoName(photo));
  storage.setItem(LIST, JSON.stringify(others));
  return true;
}

const photoIn = id => JSON.parse(storage.getItem(name(id)) ?? "{}").photo;

const base64 = async blob => {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
};
