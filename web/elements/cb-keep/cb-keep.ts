/** `<cb-keep data-kept data-offline><form data-keep="key">…</form></cb-keep>`: typed words stay on the device until the server has taken them. */

type Field = HTMLTextAreaElement | HTMLInputElement | HTMLSelectElement;
type Kept = Record<string, string>;
const PREFIX = "cb-keep:";
const SENT = "cb-keep-sent";

export class CbKeep extends HTMLElement {
  connectedCallback(): void {
    for (const form of Array.from(this.querySelectorAll<HTMLFormElement>("form[data-keep]"))) this.#guard(form);
  }

  #guard(form: HTMLFormElement): void {
    const key = PREFIX + (form.dataset["keep"] ?? "");
    const fields = Array.from(form.querySelectorAll<Field>("textarea, select, input:not([type=hidden]):not([type=password]):not([type=file])"));
    if (restore(fields, read(key))) this.#tell(form, this.dataset["kept"] ?? "");
    form.addEventListener("input", () => {
      const kept: Kept = {};
      for (const field of fields) kept[field.name] = field.value;
      localStorage.setItem(key, JSON.stringify(kept));
    });
    form.addEventListener("submit", (event) => {
      if (navigator.onLine) {
        sessionStorage.setItem(SENT, key);
        return;
      }
      event.preventDefault();
      this.#tell(form, this.dataset["offline"] ?? "");
    });
  }

  #tell(form: HTMLFormElement, words: string): void {
    const folded = form.closest("details");
    if (folded !== null) folded.open = true;
    const known = form.querySelector<HTMLElement>(".kept");
    const note = known ?? document.createElement("p");
    note.className = "muted kept";
    note.setAttribute("role", "status");
    note.textContent = words;
    if (known === null) form.prepend(note);
  }
}

/**
 * Words that were sent are let go only when the server says that it took them: by `?done=`, or by an element with `data-taken`. A page
 * that never came, or came with an error, took nothing. The form itself need not stand on the page that says so.
 */
function letGo(): void {
  const key = sessionStorage.getItem(SENT);
  const said = new URLSearchParams(location.search).has("done") || document.querySelector("[data-taken]") !== null;
  if (key === null || !said || document.querySelector(".error-summary") !== null) return;
  sessionStorage.removeItem(SENT);
  localStorage.removeItem(key);
}

function restore(fields: readonly Field[], kept: Kept): boolean {
  let restored = false;
  for (const field of fields) {
    const value = kept[field.name] ?? "";
    if (value === "" || field.value.trim() !== "") continue;
    field.value = value;
    restored = true;
  }
  return restored;
}

function read(key: string): Kept {
  const text = localStorage.getItem(key);
  if (text === null) return {};
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null ? (found as Kept) : {};
  } catch {
    return {};
  }
}

letGo();
customElements.define("cb-keep", CbKeep);
declare global {
  interface HTMLElementTagNameMap {
    "cb-keep": CbKeep;
  }
}
