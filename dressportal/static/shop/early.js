// Before the first paint: whether there is a script, and whether this browser is known, so that what is popular
// does not flash past whoever is about to see their own.

const page = document.documentElement;
page.classList.add("scripted");
try {
  const off = localStorage["dress-looks-off"] || navigator.globalPrivacyControl;
  if (localStorage["dress-looks"] && !off) page.classList.add("known");
} catch {} // forbidden: nobody is known
