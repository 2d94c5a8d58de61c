// Tells an open page that something has changed, so that nobody decides on what is old. The page is
// not changed under anybody's hands: what is written stays until it is loaded again.
"use strict";

const news = document.querySelector("[data-events]");
let source = null;

function listen() {
  if (source || document.hidden) return;
  source = new EventSource(news.dataset.events);
  source.addEventListener("changed", (event) => {
    const said = news.querySelector(`[data-news="${CSS.escape(event.data)}"]`);
    if (said) said.hidden = false;
  });
  source.addEventListener("ended", () => {
    stop();
    end();
  });
  // It is not taken up again where it is refused: a session that ended while nobody looked.
  source.addEventListener("error", async () => {
    if (source?.readyState === EventSource.CLOSED && (await goesOn()) === false) end();
  });
}

function stop() {
  source?.close();
  source = null;
}

// A browser allows few connections to one host: a page that nobody sees gives its own back.
document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
window.addEventListener("pagehide", stop);
listen();
