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

  // What was not kept is said where it was sent, and the page stays as it is: nothing of it is lost.
  const clear = () => { for (const one of document.querySelectorAll("[data-failed]")) one.remove(); };
  const fail = (event, text, signedOut) => {
    clear();
    const notice = document.createElement("p");
    notice.className = "note bad";
    notice.dataset.failed = "";
    notice.setAttribute("role", "alert");
    const from = event.detail.requestConfig.elt;
    const place = from.closest("section") ?? document.getElementById("main");
    (place.querySelector("h1, h2") ?? place.firstElementChild).after(notice);
    notice.textContent = text; // what is put in afterwards is read out
    if (signedOut) {
      const link = document.createElement("a");
      link.href = `/signin?next=${encodeURIComponent(location.pathname + location.search)}`;
      link.textContent = "Sign in again";
      notice.append(" ", link);
    }
    notice.scrollIntoView({ block: "nearest" });
  };
  const wait = (xhr) => {
    const seconds = Number(xhr.getResponseHeader("retry-after"));
    return seconds > 0 ? `Please wait ${seconds} second${seconds === 1 ? "" : "s"}, then try again.` : "Please try again in a moment.";
  };
  const failures = {
    403: () => "This was refused, and nothing was kept. Reload the page and try again; your key may also be one that only reads.",
    429: (xhr) => `Too many requests came at once, and nothing was kept. ${wait(xhr)}`,
    503: (xhr) => `whydrop is busy, and nothing was kept. ${wait(xhr)}`,
  };
  document.addEventListener("htmx:beforeRequest", clear);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    const page = (xhr.getResponseHeader("content-type") ?? "").startsWith("text/html");
    const signedOut = xhr.status === 401 || new URL(xhr.responseURL).pathname === "/signin";
    if (page && !signedOut && xhr.status < 500 && !failures[xhr.status]) return;
    event.detail.shouldSwap = false;
    if (signedOut) {
      fail(event, "You are signed out, and nothing was kept.", true);
    } else if (failures[xhr.status]) {
      fail(event, failures[xhr.status](xhr));
    } else {
      const request = xhr.getResponseHeader("x-request-id");
      const tell = request ? ` If it happens again, tell whoever runs whydrop this number: ${request}.` : "";
      fail(event, `Something went wrong in whydrop, and nothing was kept. ${wait(xhr)}${tell}`);
    }
  });
  document.addEventListener("htmx:sendError", (event) => {
    fail(event, "whydrop cannot be reached, and nothing was kept. Please try again in a moment; the page can stay open.");
  });

  ready(document);
})();
