// The worker that the theme starts for its search box, instead of its own: its messages, our search. The theme starts
// it as a classic script, which cannot import before it runs.
type Query = (query: string) => import("./search.js").Found;
const SETUP = 0, READY = 1, QUERY = 2, RESULT = 3; // SearchMessageType of mkdocs-material 9.8
let query: Query | undefined;

/** Load the search; once more where that fails, as it does in Firefox for a page that is being left. */
async function load(): Promise<typeof import("./search.js")> {
  try {
    return await import("./search.js");
  } catch {
    await new Promise((resume) => setTimeout(resume, 1000));
    return import("./search.js");
  }
}

self.addEventListener("message", async ({ data: { type, data } }: MessageEvent) => {
  if (type === SETUP) {
    query = (await load()).searcher(data.docs);
    self.postMessage({ type: READY });
  }
  if (type === QUERY && query) self.postMessage({ type: RESULT, data: query(data) });
});
