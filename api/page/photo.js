// Makes big photos small before they travel.

const SHORT_SIDE = 640; // the service itself reduces to at least 448
const TAKEN = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/heic", "image/heif", "image/avif"];

/** What is to be sent, `{ photo, isSmaller }`: a smaller, upright JPEG, or the file itself. */
export async function shrunk(file) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    const factor = Math.min(1, SHORT_SIDE / Math.min(bitmap.width, bitmap.height));
    if (factor === 1 && TAKEN.includes(file.type)) return { photo: file };
    const [canvas, context] = whiteCanvas(bitmap.width * factor, bitmap.height * factor);
    if (!isHonest()) return { photo: file };
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const photo = await new Promise(done => canvas.toBlob(done, "image/jpeg", 0.92));
    return photo ? { photo, isSmaller: factor < 1 } : { photo: file };
  } catch {
    return { photo: file }; // the service says what is wrong with it
  }
}

// As the service does, transparency is laid on white.
function whiteCanvas(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(width), height: Math.round(height) });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  return [canvas, context];
}

// Browsers that resist fingerprinting answer with noise when a canvas is read.
function isHonest() {
  const [, context] = whiteCanvas(1, 1);
  context.fillStyle = "rgb(200, 100, 50)";
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data.join() === "200,100,50,255";
}
