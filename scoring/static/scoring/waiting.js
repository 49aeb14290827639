// Reloads the page once there is a map.

const EVERY_MS = 3000;

async function look() {
  try {
    const response = await fetch(location.href);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (response.ok && page.getElementById("dashboard")) return location.reload();
  } catch (error) {
    console.info("The platform does not answer; trying again.", error.message);
  }
  return setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
