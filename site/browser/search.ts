// The site's search. Japanese puts no spaces between words, so that what is typed is looked for as it stands, in a text
// small enough (half a megabyte) to be read through at each key: no index, and nothing that cuts words differently
// from browser to browser. Pages are ranked by BM25F (Robertson, Zaragoza: The Probabilistic Relevance Framework, 2009)
// over title, headings with topics, and text, as a whole and by their best section.
import { common, synonyms } from "./synonyms.js";

/** One section of a page, as MkDocs lists it; the first one's location has no fragment. */
export interface Section {
  readonly location: string;
  readonly title: string;
  readonly text: string;
  /** Words under which a page is found beside those of its text. */
  readonly tags?: readonly string[];
}

/** A section that was found, as the theme shows it. */
export interface Item extends Section {
  readonly score: number;
  /** What was typed, and whether the section has it. */
  readonly terms: Readonly<Record<string, boolean>>;
}

/** Found pages, best first: of each the sections, the page itself first. */
export interface Found {
  readonly items: readonly (readonly Item[])[];
  readonly suggest: readonly string[];
}

/** What is looked for: one of several words for the same. */
interface Term {
  readonly typed: string;
  readonly words: readonly (readonly [word: string, weight: number])[];
  /** How much it counts beside the others: parts of a word that is nowhere as a whole count less. */
  readonly weight: number;
}

interface Prepared extends Section {
  readonly head: string;
  readonly body: string;
  readonly plain: string;
  readonly topics: string;
  readonly page: number;
}

interface Page {
  readonly weight: number;
  readonly length: number;
  readonly sections: readonly Prepared[];
}

/** How often a word stands in the title, in the headings and in the text. */
interface Counts {
  title: number;
  heads: number;
  body: number;
}

/** Where a word stands, by the numbers of sections and of pages; and how rare it is in each field of the pages. */
interface Places {
  readonly sections: ReadonlyMap<number, Counts>;
  readonly pages: ReadonlyMap<number, Counts>;
  readonly rarity: Counts;
}

const K1 = 1.4;
const B = 0.3;
const TITLE = 0.9;
const HEADING = 0.8;
const PHRASE = { head: 1.8, text: 1.3 };
const SYNONYM = 0.6;
/** What a part counts of a word that is nowhere as a whole, and a word that rarely says a topic. */
const PART = 0.35;
/** How much the best section counts beside the page as a whole, and how long a section usually is. */
const SECTIONS = 0.8;
const SECTION = 900;
const LEAST_RARITY = 0.2;
const MOST_SECTIONS = 5;
const MOST_REMEMBERED = 500;
const EXCERPT = 110;
/** Pages that name much and explain little come after those that explain. */
const WEIGHTS: readonly (readonly [RegExp, number])[] = [
  [/^embedded-fields\//, 0.3],
  [/^exercises\/soundness\//, 0.3],
  [/^exercises\/$/, 0.6],
  [/^exercises\//, 0.75],
  [/^commands\//, 0.7],
  [/^$/, 0.5],
  [/^lessons\/17-/, 0.8],
];
const LONG = /(?<=.{2})ー$/u;
const HIRAGANA = /^\p{sc=Hiragana}+$/u;
const RUNS = /[\p{sc=Han}々]+\p{sc=Hiragana}?|[\p{sc=Katakana}ー]+|[a-z0-9<][a-z0-9._<>-]*|\p{sc=Hiragana}+/gu;
const LATIN = /^[\x21-\x7e]+$/;
const EMPTY = /^(?:の|が|を|に|で|は|と|へ|も|や|か|な|から|まで|より|する|した|したい|して|できる|できない|ない|いる|ある|なる|とは|って|について|どう|どうやって|方法|やり方|使い方|場合|とき|こと|もの|ため|仕方|れない|られる|られない|しい|たい|ます|です|には|ように)+$/;

const folded = (text: string): string => text.normalize("NFKC").toLowerCase();
const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] ?? sign);
const plain = (html: string): string =>
  html
    .replace(/<[^>]*>/g, " ")
    .replace(/&(lt|gt|quot|amp|#39);/g, (_, name: string) => ({ lt: "<", gt: ">", quot: '"', amp: "&" })[name] ?? "'")
    .replace(/\s+/g, " ")
    .trim();

/** How often a word stands in a text; a short one in Latin letters only where a word begins. */
function count(text: string, word: string): number {
  let found = 0;
  const begins = word.length <= 3 && LATIN.test(word);
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length))
    if (!begins || at === 0 || !/[a-z0-9]/.test(text[at - 1] ?? "")) found += 1;
  return found;
}

/** Whether two words differ in at most so many letters (optimal string alignment). */
function near(one: string, other: string, most: number): boolean {
  if (Math.abs(one.length - other.length) > most) return false;
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1;
      let best = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      next.push(best);
    }
    before = row;
    row = next;
  }
  return (row[other.length] ?? 0) <= most;
}

/** Cut a query: known words first, the longest of them, then by script; what only joins words is left out. */
function cut(query: string): string[] {
  const known = [...synonyms.keys()].sort((one, other) => other.length - one.length);
  const words: string[] = [];
  const rest = (text: string): void => {
    const word = known.find((key) => {
      const at = text.indexOf(key);
      if (at < 0 || !LATIN.test(key[0] ?? "")) return at >= 0;
      return !/[a-z0-9._-]/.test(text[at - 1] ?? "") && !/[a-z0-9._-]/.test(text[at + key.length] ?? "");
    });
    // a known word within a longer one of the same script is no word of its own: ポート in サポート
    if (word !== undefined) {
      const at = text.indexOf(word);
      const [before, after] = [text[at - 1] ?? "", text[at + word.length] ?? ""];
      const katakana = /^[\p{sc=Katakana}ー]$/u;
      if (![before, after].some((sign) => katakana.test(sign) && katakana.test(word[0] ?? ""))) {
        rest(text.slice(0, at));
        words.push(word);
        rest(text.slice(at + word.length));
        return;
      }
    }
    for (const [run] of text.matchAll(RUNS)) {
      const [han] = run.match(/^[\p{sc=Han}々]+/u) ?? [""];
      const whole = han.length > 1 ? han : run.replace(LONG, "").replace(/[.-]+$/, "");
      if (whole && !EMPTY.test(whole)) words.push(whole);
    }
  };
  for (const part of query.split(/[\s、。・,/()「」]+/)) rest(part);
  return words.length ? [...new Set(words)] : [query.replace(/\s/g, "")].filter(Boolean);
}

/** Make the search of a site's sections. */
export function searcher(given: readonly Section[]): (query: string) => Found {
  const numbers = new Map<string, number>();
  const sections: Prepared[] = given.map((section) => {
    const path = section.location.split("#")[0] ?? "";
    const page = numbers.get(path) ?? numbers.set(path, numbers.size).size - 1;
    const shown = plain(section.text);
    const topics = folded((section.tags ?? []).join("\n"));
    return { ...section, page, topics, head: folded(plain(section.title)), body: folded(shown), plain: shown };
  });
  const pages: Page[] = [...numbers].map(([path, number]) => {
    const own = sections.filter(({ page }) => page === number);
    const weight = WEIGHTS.find(([pattern]) => pattern.test(path))?.[1] ?? 1;
    return { weight, sections: own, length: own.reduce((sum, { body }) => sum + body.length, 0) };
  });
  const mean = pages.reduce((sum, { length }) => sum + length, 0) / Math.max(1, pages.length);
  const frequent = vocabulary(sections);

  const known = new Map<string, Places>();
  const places = (word: string): Places => {
    const before = known.get(word);
    if (before) return before;
    const found = { sections: new Map<number, Counts>(), pages: new Map<number, Counts>() };
    sections.forEach((section, number) => {
      const first = pages[section.page]?.sections[0] === section;
      const head = count(section.head, word);
      const body = count(section.body, word);
      const topic = count(section.topics, word);
      if (!head && !body && !topic) return;
      found.sections.set(number, { title: 0, heads: head + topic, body });
      const all = found.pages.get(section.page) ?? { title: 0, heads: 0, body: 0 };
      all[first ? "title" : "heads"] += head;
      all.heads += topic;
      all.body += body;
      found.pages.set(section.page, all);
    });
    const having = (field: keyof Counts): number => [...found.pages.values()].filter((all) => all[field] > 0).length;
    const rare = (field: keyof Counts): number =>
      LEAST_RARITY + Math.log(1 + (pages.length - having(field) + 0.5) / (having(field) + 0.5));
    const made = { ...found, rarity: { title: rare("title"), heads: rare("heads"), body: rare("body") } };
    if (known.size > MOST_REMEMBERED) known.clear();
    known.set(word, made);
    return made;
  };
  const occurs = (word: string): boolean => places(word).pages.size > 0;

  /** What stands for a word: itself and its synonyms; where none occurs, what is like it, or its parts. */
  const terms = (typed: string): Term[] => {
    const meant = (word: string, weight: number): Term => ({
      typed: word,
      weight,
      words: (synonyms.get(word) ?? [word]).filter(occurs).map((other) => [other, other === word ? 1 : SYNONYM]),
    });
    const modest = common.has(typed) || (HIRAGANA.test(typed) && !synonyms.has(typed));
    const term = meant(typed, modest ? PART : 1);
    if (term.words.length) return [term];
    if (LATIN.test(typed)) {
      const most = typed.length >= 8 ? 2 : 1;
      const like = typed.length >= 4 ? frequent.find((word) => near(typed, word, most)) : undefined;
      if (like !== undefined) return [meant(like, 1)];
      const parts = typed.split(/[^a-z0-9]+/).filter((part) => part.length > 1 && part !== typed && occurs(part));
      return parts.map((part) => meant(part, PART));
    }
    const inside = [...synonyms.keys(), ...frequent].filter((word) => word.length > 1 && typed.includes(word));
    const longest = inside.filter((word) => !inside.some((other) => other !== word && other.includes(word)));
    const parts = [...new Set(longest)].map((part) => meant(part, common.has(part) ? PART : 1)).filter(({ words }) => words.length);
    if (parts.length) return parts;
    const pairs = [...typed].slice(1).map((sign, index) => `${typed[index]}${sign}`).filter(occurs);
    return pairs.map((pair) => meant(pair, PART / pairs.length));
  };

  return (query) => {
    const asked = folded(query).trim().replace(/\s+/g, " ");
    const wanted = cut(asked).flatMap(terms);
    const total = wanted.reduce((sum, { weight }) => sum + weight, 0);
    const phrases = [
      asked,
      ...[...synonyms].flatMap(([word, group]) =>
        asked.includes(word) ? group.map((other) => asked.replace(word, other)) : [],
      ),
    ];

    const judged = (counts: (word: Places) => Counts | undefined, length: number, head: string, body?: string): number => {
      let score = 0;
      let had = 0;
      for (const { words, weight } of wanted) {
        const each = words.flatMap(([word, own]) => {
          const place = places(word);
          const found = counts(place);
          return found ? [own * weighed(found, place.rarity, length)] : [];
        });
        if (!each.length) continue;
        had += weight;
        const best = Math.max(...each);
        score += weight * (best + (1 - SYNONYM) * Math.min(best, each.reduce((sum, one) => sum + one, 0) - best));
      }
      const exact = (part: string | undefined): boolean =>
        wanted.length > 1 && part !== undefined && phrases.some((phrase) => part.includes(phrase));
      const phrase = exact(head) ? PHRASE.head : exact(body) ? PHRASE.text : 1;
      return total ? score * (had / total) ** 2 * phrase : 0;
    };
    const item = (section: Prepared, score: number): Item => {
      const text = `${section.head}\n${section.body}`;
      const hit = wanted.map(({ words }) => words.find(([word]) => count(text, word) > 0)?.[0]);
      const terms = Object.fromEntries(wanted.map(({ typed }, index) => [hit[index] ?? typed, hit[index] !== undefined]));
      const marks = hit.filter((word) => word !== undefined);
      const title = marked(section.title, marks);
      return { location: section.location, title, text: excerpt(section, marks), score, terms };
    };

    const best = pages.map(() => ({ score: 0, sections: [] as { section: Prepared; score: number }[] }));
    sections.forEach((section, number) => {
      const length = (section.body.length * mean) / SECTION;
      const score = judged((word) => word.sections.get(number), length, headed(section), section.body);
      const place = best[section.page];
      if (score > 0 && place) place.sections.push({ section, score });
    });
    best.forEach((place, number) => {
      const page = pages[number];
      if (!place.sections.length || !page) return;
      place.sections.sort((one, other) => other.score - one.score);
      const whole = judged((word) => word.pages.get(number), page.length, headed(page.sections[0]));
      place.score = page.weight * (whole + SECTIONS * (place.sections[0]?.score ?? 0));
    });
    const items = best
      .map((place, number) => ({ ...place, first: pages[number]?.sections[0] }))
      .filter(({ score, first }) => score > 0 && first)
      .sort((one, other) => other.score - one.score)
      .map(({ score, first, sections: found }) => [
        item(first as Prepared, score),
        ...found
          .filter(({ section }) => section !== first)
          .slice(0, MOST_SECTIONS)
          .map(({ section, score: own }) => item(section, Math.min(own, score * 0.99))),
      ]);
    const last = asked.match(/[a-z0-9]+$/)?.[0];
    const suggest = last ? frequent.filter((word) => word.startsWith(last)).slice(0, 1) : [];
    return { items, suggest };
  };

  function headed(section: Prepared | undefined): string {
    return section ? `${section.head}\n${section.topics}` : "";
  }

  function weighed({ title, heads, body }: Counts, rarity: Counts, length: number): number {
    const often = body && (body * (K1 + 1)) / (body + K1 * (1 - B + (B * length) / mean));
    return rarity.body * often + HEADING * rarity.heads * Math.min(1, heads) + TITLE * rarity.title * Math.min(1, title);
  }
}

/** The words in Latin letters or Katakana, the most frequent first. */
function vocabulary(sections: readonly Prepared[]): string[] {
  const times = new Map<string, number>();
  for (const { head, body } of sections)
    for (const [word] of `${head}\n${body}`.matchAll(/[a-z][a-z0-9]{3,}|[\p{sc=Katakana}ー]{2,}/gu)) {
      const stem = word.replace(LONG, "");
      times.set(stem, (times.get(stem) ?? 0) + 1);
    }
  return [...times].sort(([, one], [, other]) => other - one).map(([word]) => word);
}

/** HTML of a text with words marked; what is not of one length when it is folded is left unmarked. */
function marked(text: string, words: readonly string[]): string {
  const low = folded(text);
  if (!words.length || low.length !== text.length) return escaped(text);
  const pattern = new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g");
  let html = "";
  let at = 0;
  for (const { 0: word, index } of low.matchAll(pattern)) {
    html += `${escaped(text.slice(at, index))}<mark>${escaped(text.slice(index, index + word.length))}</mark>`;
    at = index + word.length;
  }
  return html + escaped(text.slice(at));
}

/** The part of a section around the first word found. */
function excerpt({ plain: text, body }: Prepared, words: readonly string[]): string {
  const places = words.map((word) => body.indexOf(word)).filter((at) => at >= 0);
  const from = Math.max(0, Math.min(...(places.length ? places : [0])) - EXCERPT / 4);
  const part = text.slice(from, from + EXCERPT);
  return `${from > 0 ? "…" : ""}${marked(part, words)}${from + EXCERPT < text.length ? "…" : ""}`;
}
