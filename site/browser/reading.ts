// What keeps a page readable with a keyboard and a screen reader: code, tables and diagrams that need sideways scroll can be
// focused, wherever they stand (the theme only looks at code, and when it is on screen: it takes the attribute off again),
// and its copy buttons are no landmarks of the page.
export {};

const SCROLLS = "pre > code, .md-typeset__scrollwrap, div.mermaid";

function reachable(place: Element): void {
  if (place.scrollWidth > place.clientWidth && !place.hasAttribute("tabindex")) place.setAttribute("tabindex", "0");
}

const sized = new ResizeObserver((entries) => entries.forEach(({ target }) => reachable(target)));

function mended(): void {
  for (const place of document.querySelectorAll(SCROLLS)) {
    sized.observe(place);
    reachable(place);
  }
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "presentation");
}

new MutationObserver((changes) => {
  if (changes.some(({ type }) => type === "childList")) mended();
  else for (const { target } of changes) if ((target as Element).matches(SCROLLS)) reachable(target as Element);
}).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["tabindex"] });
mended();
