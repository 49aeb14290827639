// Colours and type of the map, read from the style sheet so that both agree.

/** The canvas follows the custom properties of the theme in force. */
export function readPalette(element) {
  const style = getComputedStyle(element);
  const colour = (name) => style.getPropertyValue(`--map-${name}`).trim();
  const family = style.fontFamily;
  return {
    theme: colour("theme") === "dark" ? "dark" : "light",
    paper: colour("paper"),
    land: colour("land"),
    border: colour("border"),
    nearBorder: colour("near-border"),
    borderHalo: colour("border-halo"),
    graticule: colour("graticule"),
    ink: colour("ink"),
    faintInk: colour("faint-ink"),
    halo: colour("halo"),
    key: colour("key"),
    keyHalo: colour("key-halo"),
    hover: colour("hover"),
    select: colour("select"),
    font: `600 12px ${family}`,
    smallFont: `10px ${family}`,
    labelFont: `600 11px ${family}`,
    rankFont: `700 10px ${family}`,
  };
}
