// Where the scripts of a page go to work.
declare global {
  interface Window {
    /** The theme's: a new page, shown without a full load. */
    document$?: { subscribe(shown: () => void): void };
  }
}

/** Bring each element that a selector finds to life, once, on this page and on those that are shown later. */
export function each(selector: string, live: (place: HTMLElement) => void): void {
  const shown = (): void => {
    for (const place of document.querySelectorAll<HTMLElement>(`${selector}:not([data-live])`)) {
      place.dataset["live"] = "";
      live(place);
    }
  };
  if (window.document$) window.document$.subscribe(shown);
  else shown();
}
