// Charts by Vega-Lite and tables by DataTables, each made when it comes near the window.
"use strict";

const content = (id) => JSON.parse(document.getElementById(id).textContent);
const behaviour = content("behaviour");
const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Set();

// Runs the libraries that charts or tables need: it takes longer than all else that opens the page.
function need(what) {
  for (const text of document.querySelectorAll(`[data-library=${what}]`)) {
    const script = document.createElement("script");
    script.textContent = text.textContent;
    text.replaceWith(script);
  }
}

// A chart whose data are objects, as Vega-Lite reads them.
function specification(id) {
  const chart = content(id);
  const { columns, rows } = chart.data.values;
  chart.data.values = rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
  return chart;
}

async function draw(place) {
  need("charts");
  const theme = dark.matches ? "dark" : "light";
  drawn.add(place);
  await embedChart(place, specification(place.dataset.specification), theme);
  place.dataset.drawn = theme;
}

const numbers = (options) => new Intl.NumberFormat(behaviour.language, options);
const forms = {
  as_is: numbers({ maximumSignificantDigits: 6 }),
  percent: numbers({ minimumFractionDigits: 2, maximumFractionDigits: 2 }),
  score: numbers({ minimumFractionDigits: 3, maximumFractionDigits: 3 }),
  whole: numbers({ maximumFractionDigits: 0 }),
};

function cell(form, value) {
  if (value === null) return "–";
  return typeof value === "number" ? forms[form].format(value) : DataTable.util.escapeHtml(value);
}

function column({ title, form }) {
  const render = (value, type) => (type === "display" || type === "filter" ? cell(form, value) : value);
  return { title, render, className: form === "as_is" ? "" : "number" };
}

// A list to choose rows by, for each column that has few texts.
function addFilters(table, columns) {
  columns.forEach(({ title, filters }, index) => {
    if (!filters) return;
    const texts = table.column(index).data().unique().toArray();
    const choice = new Option(behaviour.all, "");
    const list = document.createElement("select");
    list.append(choice, ...texts.map((text) => new Option(text, text)));
    list.addEventListener("change", () => {
      table.column(index).search(list.value, { exact: list.value !== "" }).draw();
    });
    const label = document.createElement("label");
    label.append(title, list);
    table.table().container().prepend(label);
  });
}

function makeSearchable(place) {
  need("tables");
  const { columns, rows } = content(place.dataset.content);
  const table = new DataTable(place, {
    data: rows,
    columns: columns.map(column),
    order: [],
    pageLength: 25,
    autoWidth: false,
    deferRender: true,
    language: behaviour.table,
  });
  addFilters(table, columns);
  watchEdges(table.table().container().querySelector(".dt-layout-table"));
}

function makeSortable(place) {
  need("tables");
  const table = new DataTable(place, {
    paging: false,
    searching: false,
    info: false,
    order: [],
    autoWidth: false,
    language: behaviour.table,
  });
  sizes.observe(table.table().container());
}

function answer(place) {
  if (place.classList.contains("chart")) draw(place);
  else if (place.classList.contains("searched")) makeSearchable(place);
  else if (place.tBodies[0].rows.length > 2) makeSortable(place);
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      answer(target);
    }
  },
  { rootMargin: "400px" },
);
for (const place of document.querySelectorAll(".chart, table.searched, table.sorted")) near.observe(place);

dark.addEventListener("change", () => drawn.forEach(draw));

// What a link or an address names is unfolded.

function unfoldTo(hash) {
  const place = document.getElementById(decodeURIComponent(hash.slice(1)));
  const part = place?.closest("details.part");
  if (!part || part.open) return;
  part.open = true;
  // Before the place is shown: a table that comes later would move it.
  for (const table of part.querySelectorAll("table.searched:not(.dataTable)")) {
    near.unobserve(table);
    makeSearchable(table);
  }
  place.scrollIntoView();
}

addEventListener("hashchange", () => unfoldTo(location.hash));
document.addEventListener("click", ({ target }) => {
  const link = target.closest("a[href^='#']");
  if (link) unfoldTo(link.hash);
});
unfoldTo(location.hash);

const unfoldAll = document.querySelector(".unfold");
unfoldAll.hidden = false;
unfoldAll.addEventListener("click", () => {
  for (const part of document.querySelectorAll("details.part")) part.open = true;
});

// Beside the text there is room for the contents; above it they stay folded.
const wide = matchMedia("(min-width: 75rem)");
const contents = document.querySelector(".contents details");
const unfold = () => (contents.open = wide.matches);
wide.addEventListener("change", unfold);
unfold();
