// What a page with an exercise on it does: its editor, its four buttons, its card. Words come with the page.
import { course, type Answer, type Course } from "./course.js";
import { Failure, type Manifest } from "./files.js";
import { each } from "./places.js";

declare global {
  interface Window {
    course: Course;
  }
}

type Words = Readonly<Record<string, string>>;

let report: (bytes: number) => void = () => {};
window.course = course((bytes) => report(bytes));

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
const filled = (text: string | undefined, facts: Words): string =>
  (text ?? "").replace(/\{(\w+)\}/g, (whole, name: string) => facts[name] ?? whole);

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // this browser keeps nothing
  }
}

async function size(): Promise<number> {
  const answer = await fetch(new URL("manifest.json", import.meta.url), { cache: "no-cache" });
  return ((await answer.json()) as Manifest).bytes;
}

function openHint(number: number): void {
  const hint = document.querySelectorAll<HTMLDetailsElement>("details.tip")[number - 1];
  if (!hint) return;
  hint.open = true;
  hint.scrollIntoView({ block: "nearest" });
}

/** Bring one editor to life. */
function live(place: HTMLElement): void {
  const part = <T extends HTMLElement>(selector: string): T => {
    const found = place.querySelector<T>(selector);
    if (!found) throw new Error(`the page lacks ${selector}`);
    return found;
  };
  const exercise = place.dataset["exercise"] ?? "";
  const words: Words = JSON.parse(part("script").textContent ?? "{}");
  const editor = part<HTMLTextAreaElement>("textarea");
  const status = part(".course-status");
  const card = part(".course-card");
  const buttons = [...place.querySelectorAll<HTMLButtonElement>("button")];
  const key = `course/work/${exercise}`;
  let total = 0;
  let applied = editor.value; // the starter: whoever has not begun has nothing to apply

  const say = (word: string, facts: Words = {}): void => {
    status.textContent = filled(words[word], facts);
  };
  const ready = (): void => {
    for (const button of buttons) button.disabled = false;
    say(total ? "ready" : "ready-unsized", { size: megabytes(total) });
  };
  const questions: Readonly<Record<string, () => Promise<Answer>>> = {
    apply: () => window.course.apply(exercise, editor.value),
    check: () => window.course.check(exercise),
    hint: () => window.course.hint(exercise),
    reset: () => window.course.reset(exercise),
  };
  const show = (verb: string, answer: Answer): void => {
    if (verb === "apply") applied = editor.value;
    if (answer.html !== undefined) card.innerHTML = answer.html;
    if (verb === "hint" && answer.exit_status === 0) openHint(Number(answer["number"]));
    if (verb === "reset" && answer.exit_status === 0) {
      card.replaceChildren();
      editor.value = applied = String(answer["starter"]);
      remember(key, editor.value);
    }
    const left = (answer["left"] as readonly string[] | undefined) ?? [];
    if (left.length) say("left", { objects: left.join("、") });
    else if (verb === "check" && editor.value !== applied) say("unapplied");
    else say(answer.exit_status === 0 ? `done-${verb}` : "done");
  };
  const pressed = async (verb: string): Promise<void> => {
    for (const button of buttons) button.disabled = true;
    say("working");
    report = (bytes) =>
      bytes < total ? say("loading", { done: megabytes(bytes), size: megabytes(total) }) : say("starting");
    try {
      show(verb, await (questions[verb] as () => Promise<Answer>)());
    } catch (error) {
      const { code, message } = error instanceof Failure ? error : new Failure("broken", String(error));
      say(code, { detail: message });
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  };

  editor.value = remembered(key) ?? editor.value;
  editor.addEventListener("input", () => remember(key, editor.value));
  for (const button of buttons) button.addEventListener("click", () => void pressed(button.value));
  size().then((bytes) => (total = bytes), () => {}).finally(ready);
}

each(".course", live);
