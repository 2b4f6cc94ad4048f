// `window.course`: what buttons and tests ask. Promises of JSON, as `grader … --json` gives it; nothing is loaded before
// the first question.
import { Failure } from "./files.js";
import type { Asked, Told } from "./worker.js";

/** The part that every answer has; the rest is defined with `grader … --json`. */
export interface Answer {
  readonly exit_status: number;
  /** The card. */
  readonly html?: string;
  readonly [key: string]: unknown;
}

export interface Course {
  /** Keep a manifest as the learner's file of an exercise, and apply it. */
  apply(exercise: string, text: string): Promise<Answer>;
  /** Give one verdict; where a manifest is given, apply it first, and hold what the API server said against it. */
  check(exercise: string, text?: string): Promise<Answer>;
  /** Open the next hint. */
  hint(exercise: string): Promise<Answer>;
  /** Make the exercise new. */
  reset(exercise: string): Promise<Answer>;
}

type Waiting = { resolve(answer: Answer): void; reject(error: Failure): void };

/** Make a course; `progress` hears how many bytes have arrived. Promises reject with Failure. */
export function course(progress: (bytes: number) => void): Course {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let count = 0;

  const lost = (detail: string): void => {
    worker?.terminate();
    worker = undefined;
    for (const { reject } of waiting.values()) reject(new Failure("broken", detail));
    waiting.clear();
  };

  const heard = ({ data }: MessageEvent<Told>): void => {
    if ("arrived" in data) return progress(data.arrived);
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if ("answer" in data) asked?.resolve(JSON.parse(data.answer));
    else asked?.reject(new Failure(data.failed, data.detail));
  };

  const begun = (): Worker => {
    if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") {
      throw new Failure("old-browser", navigator.userAgent);
    }
    const made = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    made.onmessage = heard;
    made.onerror = (event) => lost(event.message ?? "worker");
    return made;
  };

  const ask = (question: Asked["question"]): Promise<Answer> =>
    new Promise((resolve, reject) => {
      worker ??= begun();
      count += 1;
      waiting.set(count, { resolve, reject });
      worker.postMessage({ id: count, question } satisfies Asked);
    });

  return {
    apply: (exercise, text) => ask({ do: "apply", exercise, text }),
    check: (exercise, text) => ask({ do: "check", exercise, ...(text === undefined ? {} : { text }) }),
    hint: (exercise) => ask({ do: "hint", exercise }),
    reset: (exercise) => ask({ do: "reset", exercise }),
  };
}
