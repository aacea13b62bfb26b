// Select2 puts a field of its own in the place of a select, and leaves the label behind.

django.jQuery(() => {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const [label] = select.labels;
    label.id ||= `${select.id}_label`;
    const parts = select.nextElementSibling.querySelectorAll("[role=combobox], [role=textbox]");
    for (const part of parts) part.setAttribute("aria-labelledby", `${label.id} ${part.id}`.trim());
  }
});
