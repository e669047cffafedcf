// What makes the page quicker to use. Everything works without it.
(() => {
  "use strict";
  const said = document.getElementById("said");
  const say = (text) => { if (said) said.textContent = text; };

  const copied = async (text, field) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without HTTPS there is no clipboard but the old way.
      const range = document.createRange();
      range.selectNodeContents(field);
      getSelection().removeAllRanges();
      if (field.select) field.select(); else getSelection().addRange(range);
      return document.execCommand("copy");
    }
    return true;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    const worked = await copied(field.value ?? field.textContent, field);
    const label = button.textContent;
    button.textContent = worked ? "Copied" : "Select and copy";
    say(button.textContent);
    setTimeout(() => { button.textContent = label; }, 2000);
  });

  const ready = (root) => {
    for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  };

  const dropped = (event) => event.target.closest?.("[data-drop]");
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    const form = dropped(event);
    if (!form || !files(event)) return;
    event.preventDefault();
    form.classList.add("dragged");
  });
  document.addEventListener("dragleave", (event) => dropped(event)?.classList.remove("dragged"));
  document.addEventListener("drop", (event) => {
    const form = dropped(event);
    if (!form || !files(event)) return;
    event.preventDefault();
    form.classList.remove("dragged");
    form.elements.file.files = event.dataTransfer.files;
    say(`${event.dataTransfer.files[0].name} was taken`);
  });

  // Behind a swap the reading goes on at what is new, and what an answer moved is announced.
  document.addEventListener("htmx:afterSettle", (event) => {
    const main = document.getElementById("main");
    if (event.detail.target.id !== "main" || !main) return;
    ready(main);
    (main.querySelector("[data-focus]") ?? main).focus();
    say(main.querySelector("[data-announce]")?.textContent ?? "");
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!(event.detail.xhr.getResponseHeader("content-type") ?? "").startsWith("text/html")) {
      event.detail.shouldSwap = false;
      say("That did not work. Please try again.");
    }
  });
  document.addEventListener("htmx:sendError", () => say("whydrop cannot be reached. Please try again."));

  ready(document);
})();
