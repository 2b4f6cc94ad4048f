// The theme fetches mermaid from another host unless window.mermaid exists. This stands in for it: the vendored library
// beside this file is loaded when the first diagram is drawn, and pages without a diagram load nothing.
(() => {
  const WELL = 0.8; // scales at which text of 16 pixels is read with ease, and just so
  const BARELY = 0.6;
  const width = ({ svg }) => Number(svg.match(/viewBox="\S+ \S+ (\S+)/)?.[1] ?? 0);
  const source = new URL("vendor/mermaid.min.js", document.currentScript.src).href;
  let settings;
  let loading;

  const load = () => {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.onload = () => {
        const library = window.mermaid;
        window.mermaid = stub;
        library.initialize(settings);
        resolve(library);
      };
      script.onerror = () => reject(new Error(`${source} cannot be loaded`));
      document.head.append(script);
    });
    return loading;
  };

  const stub = {
    initialize(given) {
      settings = given;
      loading?.then((library) => library.initialize(given));
    },
    // A diagram is scaled down to the page's width. Where it would be hard to read then, the one that flows from top to
    // bottom is drawn, if that is less wide; what is still too wide scrolls instead of getting smaller.
    async render(id, source, ...given) {
      const library = await load();
      const drawn = await library.render(id, source, ...given);
      const room = document.querySelector(".md-content__inner")?.clientWidth ?? Infinity;
      if (width(drawn) * WELL <= room) return drawn;
      const turned = source.replace(/^(\s*(?:flowchart|graph|direction)\s+)(?:LR|RL)\b/gm, "$1TB");
      const other = turned === source ? drawn : await library.render(id, turned, ...given);
      const least = width(other) < width(drawn) ? other : drawn;
      const floor = Math.round(width(least) * BARELY);
      return { ...least, svg: least.svg.replace(/style="/, `style="min-width: ${floor}px; `) };
    },
  };
  window.mermaid = stub;
})();
