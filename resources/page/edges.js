// Where a part of the page is wider than its place, its edges tell on which sides it goes on.
function tell(place) {
  const hidden = place.scrollWidth - place.clientWidth;
  const left = place.scrollLeft;
  place.classList.toggle("goes-on-before", hidden > 1 && left > 1);
  place.classList.toggle("goes-on-after", hidden > 1 && left < hidden - 1);
}

// The first column of a table stays in sight if it leaves half of the place to the others.
function keepNames(place) {
  const name = place.querySelector("td:first-child");
  place.classList.toggle("keeps-names", name !== null && 2 * name.offsetWidth < place.clientWidth);
}

const sizes = new ResizeObserver((entries) =>
  entries.forEach(({ target }) => {
    const place = target.closest(".dt-layout-table") ?? target.closest(".wide");
    tell(place);
    keepNames(place);
  }),
);

function watchEdges(place) {
  place.addEventListener("scroll", () => tell(place), { passive: true });
  sizes.observe(place);
  for (const inside of place.children) sizes.observe(inside);
}

document.querySelectorAll(".wide").forEach(watchEdges);
