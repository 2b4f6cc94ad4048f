// The worker: Python as WebAssembly with the course's code in it, which answers one question after the other.
import { Failure, files, type Manifest } from "./files.js";

/** What the page sends. */
export interface Asked {
  readonly id: number;
  readonly question: { readonly do: string; readonly exercise: string; readonly text?: string };
}

/** What it gets: an answer (JSON), why there is none, or how many bytes have arrived. */
export type Told =
  | { readonly id: number; readonly answer: string }
  | { readonly id: number; readonly failed: Failure["code"]; readonly detail: string }
  | { readonly arrived: number };

type Pyodide = typeof import("pyodide");
const BASE = new URL("./", import.meta.url);
const tell = (told: Told): void => self.postMessage(told);

const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0); // a module of WebAssembly with nothing in it

/** The loader only warns where WebAssembly cannot be made, and waits for ever: hear what it hears. */
function instantiation(): Promise<never> {
  const instantiate = WebAssembly.instantiateStreaming;
  return new Promise((_, reject) => {
    WebAssembly.instantiateStreaming = async (source, imports) => {
      try {
        return await instantiate(source, imports);
      } catch (error) {
        reject(error);
        throw error;
      }
    };
  });
}

async function begun(): Promise<(question: string) => string> {
  let manifest: Manifest;
  try {
    new WebAssembly.Module(EMPTY);
  } catch (error) {
    throw new Failure("blocked", String(error)); // by a Content-Security-Policy, or an administrator
  }
  try {
    manifest = await (await fetch(new URL("manifest.json", BASE), { cache: "no-cache" })).json();
  } catch (error) {
    throw new Failure("download", String(error));
  }
  const content = await files(manifest, BASE, (arrived) => tell({ arrived }));
  const file = (name: string): Uint8Array<ArrayBuffer> => {
    const found = content[name];
    if (!found) throw new Failure("broken", `the manifest names no ${name}`);
    return found;
  };
  const url = (name: string, type: string): string => URL.createObjectURL(new Blob([file(name)], { type }));
  const library: Pyodide = await import(new URL("pyodide.mjs", BASE).href);
  const factory = await import(url("pyodide.asm.mjs", "text/javascript"));
  const fetchOutside = self.fetch;
  self.fetch = async (input, init) => // the loader asks for its WebAssembly by a name of its own
    String(input instanceof Request ? input.url : input).endsWith("pyodide.asm.wasm")
      ? new Response(file("pyodide.asm.wasm"), { headers: { "Content-Type": "application/wasm" } })
      : fetchOutside(input, init);
  try {
    const loading = library.loadPyodide({
      indexURL: BASE.href,
      stdLibURL: url("python_stdlib.zip", "application/zip"),
      lockFileContents: JSON.parse(new TextDecoder().decode(file("lock.json"))),
      createPyodideModule: factory.default,
    });
    const python = await Promise.race([loading, instantiation()]);
    python.unpackArchive(file("course.zip"), "zip", { extractDir: "/course" });
    python.runPython("import sys; sys.path.insert(0, '/course')");
    return python.pyimport("grader.browser.worker").answer;
  } finally {
    self.fetch = fetchOutside;
  }
}

function failure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const text = String(error);
  if (error instanceof RangeError || /out of memory|could not allocate/i.test(text)) return new Failure("memory", text);
  return new Failure("broken", text);
}

let course: Promise<(question: string) => string> | undefined;
let last: Promise<void> = Promise.resolve();

self.onmessage = ({ data: { id, question } }: MessageEvent<Asked>) => {
  last = last.then(async () => {
    try {
      course ??= begun();
      tell({ id, answer: (await course)(JSON.stringify(question)) });
    } catch (error) {
      const { code, message } = failure(error);
      if (code === "download") course = undefined; // asked again, it is fetched again
      tell({ id, failed: code, detail: message });
    }
  });
};
