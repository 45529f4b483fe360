/** `<cb-filter data-label data-shown><table>…</table></cb-filter>`: shows only the rows that hold the typed words. */

export class CbFilter extends HTMLElement {
  connectedCallback(): void {
    if (this.querySelector(":scope > .filter") !== null) return;
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("output");
    label.className = "filter";
    label.textContent = this.dataset["label"] ?? "";
    input.type = "search";
    input.addEventListener("input", () => this.#show(input.value, count));
    label.append(input, count);
    this.prepend(label);
  }

  #show(words: string, count: HTMLOutputElement): void {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = Array.from(this.querySelectorAll<HTMLTableRowElement>("tbody tr"));
    for (const row of rows) {
      const text = (row.textContent ?? "").toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    const said = (this.dataset["shown"] ?? "").replace("{shown}", String(shown)).replace("{total}", String(rows.length));
    count.textContent = wanted.length === 0 ? "" : said;
    this.dispatchEvent(new CustomEvent("cb-filtered", { bubbles: true, detail: { shown, total: rows.length } }));
  }
}

customElements.define("cb-filter", CbFilter);
declare global {
  interface HTMLElementTagNameMap {
    "cb-filter": CbFilter;
  }
}
