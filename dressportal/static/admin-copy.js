/* Buttons that copy a text; without a script the text is there to be selected. */

for (const button of document.querySelectorAll("[data-copy]")) {
  const said = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy);
    text.select();
    await navigator.clipboard.writeText(text.value);
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = said), 2000);
  });
}
