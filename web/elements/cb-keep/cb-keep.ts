/** `<cb-keep data-kept><form data-keep="key">…</form></cb-keep>`: typed words stay on the device until the server has taken them. */

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
    if (this.#wasTaken(key)) localStorage.removeItem(key);
    if (restore(fields, read(key))) this.#tell(form);
    form.addEventListener("input", () => {
      const kept: Kept = {};
      for (const field of fields) kept[field.name] = field.value;
      localStorage.setItem(key, JSON.stringify(kept));
    });
    form.addEventListener("submit", () => sessionStorage.setItem(SENT, key));
  }

  /** A form that was sent counts as taken when the next page came without an error summary. */
  #wasTaken(key: string): boolean {
    if (sessionStorage.getItem(SENT) !== key) return false;
    sessionStorage.removeItem(SENT);
    return document.querySelector(".error-summary") === null;
  }

  #tell(form: HTMLFormElement): void {
    const folded = form.closest("details");
    if (folded !== null) folded.open = true;
    const note = document.createElement("p");
    note.className = "muted kept";
    note.setAttribute("role", "status");
    note.textContent = this.dataset["kept"] ?? "";
    form.prepend(note);
  }
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

customElements.define("cb-keep", CbKeep);
declare global {
  interface HTMLElementTagNameMap {
    "cb-keep": CbKeep;
  }
}
