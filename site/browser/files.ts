// The large files: fetched once under names that hold their hash, kept in IndexedDB as they came, unpacked when used.
// No Cache API: a page on plain http, on an address that is not loopback, has none.

/** What `assets/browser/manifest.json` says: see site/browser/build.py. */
export interface Manifest {
  /** Bytes of all files as they are stored on the site. */
  readonly bytes: number;
  /** Its name in the code → where it is, and how many bytes it has there. */
  readonly files: Readonly<Record<string, { readonly path: string; readonly bytes: number }>>;
}

/** Why the course does not run, by the code of a sentence in grader/text/ja/browser.yaml. */
export class Failure extends Error {
  constructor(
    readonly code: "old-browser" | "blocked" | "download" | "memory" | "broken",
    detail: string,
  ) {
    super(detail);
  }
}

const DATABASE = "kubernetes-services-course";
const STORE = "files";
const GZIP = [0x1f, 0x8b] as const;

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB"));
  });
}

/** Open the store; a browser that keeps nothing (private windows, full disks) fetches each time. */
async function opened(): Promise<IDBDatabase | undefined> {
  try {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    return await settled(request);
  } catch {
    return undefined;
  }
}

const objects = (database: IDBDatabase, mode: IDBTransactionMode): IDBObjectStore =>
  database.transaction(STORE, mode).objectStore(STORE);

async function kept(database: IDBDatabase | undefined, path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return database && (await settled(objects(database, "readonly").get(path)));
  } catch {
    return undefined;
  }
}

/** Keep a file, and let go what no longer belongs to this site's manifest. */
async function keep(
  database: IDBDatabase | undefined,
  path: string,
  bytes: Uint8Array,
  wanted: ReadonlySet<string>,
): Promise<void> {
  if (!database) return;
  try {
    const store = objects(database, "readwrite");
    await settled(store.put(bytes, path));
    for (const key of await settled(store.getAllKeys())) {
      if (!wanted.has(String(key))) await settled(store.delete(key));
    }
  } catch {
    // the disk is full: it works without
  }
}

async function fetched(url: URL, expected: number, arrived: (bytes: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const answer = await fetch(url);
    if (!answer.ok || !answer.body) throw new Error(`${answer.status}`);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for (const reader = answer.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      length += value.length;
      arrived(value.length);
    }
    const encoded = answer.headers.get("Content-Encoding"); // then what arrives here is unpacked already
    if (!encoded && length !== expected) throw new Error(`${length} of ${expected} bytes`);
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  } catch (error) {
    throw new Failure("download", `${url.pathname}: ${String(error)}`);
  }
}

/** Unpack what begins as gzip does; a host that sent it with Content-Encoding has done that. */
export async function unpacked(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<Uint8Array<ArrayBuffer>> {
  if (!GZIP.every((byte, at) => bytes[at] === byte)) return bytes;
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    if (error instanceof RangeError) throw new Failure("memory", String(error));
    throw new Failure("download", `${path}: ${String(error)}`);
  }
}

/** Get every file of a manifest, unpacked, by its name in the code. Rejects with Failure. */
export async function files(
  manifest: Manifest,
  base: URL,
  progress: (bytes: number) => void,
): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  const database = await opened();
  const wanted = new Set(Object.values(manifest.files).map(({ path }) => path));
  let done = 0;
  const arrived = (bytes: number): void => progress((done += bytes));
  const found = await Promise.all(
    Object.entries(manifest.files).map(async ([name, { path, bytes }]) => {
      const stored = await kept(database, path);
      if (stored) {
        arrived(bytes);
        return [name, await unpacked(stored, path)] as const;
      }
      const found = await fetched(new URL(path, base), bytes, arrived);
      const content = await unpacked(found, path); // before it is kept: what is broken is fetched anew
      await keep(database, path, found, wanted);
      return [name, content] as const;
    }),
  );
  database?.close();
  return Object.fromEntries(found);
}
