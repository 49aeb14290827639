"""Where things are on the dashboard, as JavaScript expressions."""

from tests.browser.chromium import Page

IS_READY = "document.getElementById('dashboard')?.dataset.state === 'ready'"
HAS_FAILED = "document.getElementById('dashboard')?.dataset.state === 'failed'"
TOP_ROWS = "[...document.querySelectorAll('#top-cells tr')]"
TOOLTIP_CELL = "document.getElementById('tooltip').dataset.cell"
# How many legend colours with cells in them occur nowhere on the canvas.
COLOURS_MISSING = """(() => {
  const canvas = document.getElementById('map');
  const { data } = canvas.getContext('2d').getImageData(
    0, 0, canvas.width, canvas.height);
  const painted = new Set();
  for (let at = 0; at < data.length; at += 4) {
    painted.add('#' + [0, 1, 2].map(
      (axis) => data[at + axis].toString(16).padStart(2, '0')).join(''));
  }
  return [...document.querySelectorAll('.legend-entry')]
    .filter((row) => row.querySelector('.legend-count').textContent !== '0')
    .filter((row) => !painted.has(row.querySelector('path').getAttribute('fill')))
    .length;
})()"""


def middle_of_selected_cell(page: Page) -> tuple[float, float]:
    """Where the cell that the tooltip speaks of lies in the window."""
    anchor = page.wait_for("document.getElementById('tooltip').dataset.anchor")
    left, top = (float(part) for part in str(anchor).split(","))
    edges = page.evaluate(
        "(({ left, top }) => [left, top])"
        "(document.getElementById('map').getBoundingClientRect())"
    )
    assert isinstance(edges, list)
    return edges[0] + left, edges[1] + top


def choose_horizon(position: int) -> str:
    return f"document.getElementsByName('horizon_sec')[{position}].click()"
