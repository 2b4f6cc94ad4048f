// What keeps a page readable with a keyboard and a screen reader: code and tables that need sideways scroll can be focused,
// wherever they stand (the theme only looks at what was on screen), and its copy buttons are no landmarks of the page.
export {};

const wide = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
    else target.removeAttribute("tabindex");
  }
});

const mended = (): void => {
  for (const wrap of document.querySelectorAll("pre > code, .md-typeset__scrollwrap")) wide.observe(wrap);
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "presentation");
};

new MutationObserver(mended).observe(document.body, { childList: true, subtree: true });
mended();
