// The filter of the list of exercises: by a word, and by difficulty. Words come with the page.
import { each } from "./places.js";

function live(place: HTMLElement): void {
  const words: Readonly<Record<string, string>> = JSON.parse(place.dataset["words"] ?? "{}");
  const rows = [...document.querySelectorAll<HTMLTableRowElement>("article tbody tr")];
  const levels = [...new Set(rows.map((row) => row.cells[2]?.textContent ?? ""))];
  const labelled = <T extends HTMLElement>(text: string | undefined, control: T): T => {
    const label = document.createElement("label");
    label.append(text ?? "", " ", control);
    place.append(label);
    return control;
  };
  const word = labelled(words["word"], document.createElement("input"));
  word.type = "search";
  const level = labelled(words["level"], document.createElement("select"));
  level.append(new Option(words["all"], ""), ...levels.map((text) => new Option(text, text)));
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  place.append(status);
  const filter = (): void => {
    const sought = word.value.normalize("NFKC").toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = (row.textContent ?? "").normalize("NFKC").toLowerCase();
      const fits = !level.value || row.cells[2]?.textContent === level.value;
      row.hidden = !fits || !sought.every((part) => text.includes(part));
    }
    const left = rows.filter((row) => !row.hidden).length;
    status.textContent = (words["shown"] ?? "").replace("{number}", String(left));
  };
  place.addEventListener("input", filter);
  filter();
}

each(".catalogue-filter", live);
