// Follows the worker while it is at a file, then reloads the page.

const EVERY_MS = 1000;

async function follow() {
  const outcome = document.getElementById("outcome");
  if (!outcome || !("busy" in outcome.dataset)) return;
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  try {
    const response = await fetch(location.href);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("outcome");
    if (fresh && "busy" in fresh.dataset) outcome.replaceChildren(...fresh.childNodes);
    else if (response.ok) return location.replace(location.href);
  } catch (error) {
    console.info("The platform does not answer; trying again.", error.message);
  }
  return follow();
}

follow();
