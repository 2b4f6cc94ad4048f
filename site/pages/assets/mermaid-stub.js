// The theme fetches mermaid from another host unless window.mermaid exists. This stands in for it: the vendored library
// beside this file is loaded when the first diagram is drawn, and pages without a diagram load nothing.
(() => {
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
    async render(...given) {
      const library = await load();
      return library.render(...given);
    },
  };
  window.mermaid = stub;
})();
