// What a cook reads, in the language in which the service has sent the page.

const texts = JSON.parse(document.getElementById("texts").textContent);

export const language = document.documentElement.lang;
const plural = new Intl.PluralRules(language);

/** Whether there is a text of this key. */
export const has = key => key in texts;

/** One text, with the values put in. */
export const text = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** A text that depends on a number, in the language's own plural. */
export function counted(key, count) {
  const form = `${key}.${plural.select(count)}`;
  return text(has(form) ? form : `${key}.other`, { count: number(count) });
}

/** A number as it is written in the language, with this many digits behind the point. */
export const number = (value, digits = 0) =>
  value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Read on in another language, where the page stands. */
for (const link of document.querySelectorAll("[data-language]")) {
  link.addEventListener("click", event => {
    event.preventDefault();
    document.cookie = `itadaki-language=${link.dataset.language}; path=/; max-age=31536000; samesite=lax`;
    location.reload();
  });
}
