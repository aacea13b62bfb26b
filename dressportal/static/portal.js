// The game's quick hands: each subject has a file in portal/, this says who listens to what.

import * as closer from "./portal/closer.js";
import { deck } from "./portal/deck.js";
import { answer, flag, held, start, takeBack } from "./portal/game.js";
import * as hint from "./portal/hint.js";
import * as keys from "./portal/keys.js";
import * as sheets from "./portal/sheets.js";
import * as swipe from "./portal/swipe.js";

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  const card = form.closest(".card");
  if (!card && !form.closest("#undo")) return;
  event.preventDefault();
  if (!card) takeBack(form);
  else if (submitter.name === "reason") flag(submitter);
  else answer(card, submitter);
});

closer.listen(deck);
keys.listen();
sheets.listen(held);
swipe.listen(deck, (card, button) => {
  hint.done();
  answer(card, button);
});
hint.show();
start();
document.documentElement.classList.add("scripted");
