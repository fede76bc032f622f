// A chart in its place, in the reader's theme; `behaviour` has its looks.
// `ast`: expressions are interpreted, as the page's policy lets nothing compile them.
function embedChart(place, specification, theme) {
  return vegaEmbed(place, specification, {
    mode: "vega-lite",
    ast: true,
    renderer: "svg",
    actions: false,
    config: behaviour.themes[theme],
    tooltip: { theme },
    formatLocale: behaviour.numbers,
  });
}
