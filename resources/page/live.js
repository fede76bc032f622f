// The state of a running study, fetched again and again and put in its places.
"use strict";

const behaviour = JSON.parse(document.getElementById("behaviour").textContent);
const { words, language } = behaviour;
const dark = matchMedia("(prefers-color-scheme: dark)");
const place = (id) => document.getElementById(id);

// Words and numbers.

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (field, name) => values[name] ?? field);
const numbers = (digits) =>
  new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const whole = numbers(0);
const numeral = (number, form = whole) => (number === null ? "" : form.format(number));

// A value's text, which has decimal points, in the page's language.
const decimal = numbers(1).format(0.5)[1];
const value = (text) =>
  text.replace(/(?<![\w.])\d+\.\d+(?:e[+-]?\d+)?(?![\w.])/g, (number) => number.replace(".", decimal));
const settings = (text) => value(text) || words.baseline;

function duration(seconds) {
  const minutes = Math.floor(Math.round(seconds) / 60);
  const rest = Math.round(seconds) % 60;
  if (!minutes) return `${rest} s`;
  return minutes < 60 ? `${minutes} min ${rest} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// Parts of the page: all texts are texts, whatever is in them.

function element(name, text, kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = kind;
  return made;
}

function link(text, log) {
  const made = element("a", text);
  made.href = `logs/${log}`;
  return made;
}

function fillTable(id, rows) {
  const made = rows.map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells);
    return row;
  });
  place(id).querySelector("tbody").replaceChildren(...made);
  place(id).hidden = !rows.length;
}

const number = (count, form) => element("td", numeral(count, form), "number");

// One of the runs' table.
function runRow(run, scores) {
  const name = document.createElement("td");
  const short = run.run.split("-").pop();
  name.append(run.log ? link(short, run.log) : short);
  name.title = run.run;
  const epoch = run.epoch === null ? "" : fill(words.of, { n: whole.format(run.epoch), all: whole.format(run.epochs) });
  return [
    element("td", settings(run.settings), "settings"),
    element("td", words.situations[run.state], `situation ${run.state}`),
    element("td", epoch, "number"),
    number(run.score, scores),
    number(run.loss, numbers(4)),
    element("td", fill(words.of, { n: whole.format(run.done), all: whole.format(run.wanted) }), "number"),
    element("td", run.state !== "finished" && run.seconds_left !== null ? duration(run.seconds_left) : "", "number"),
    element("td", remark(run), "remark"),
    name,
  ];
}

function remark(run) {
  if (run.state !== "training") return run.message;
  const heard = run.heard === null ? words.first_epoch : fill(words.heard, { time: duration(run.heard) });
  return run.host ? `${fill(words.place, { host: run.host })}, ${heard}` : heard;
}

function experimentRow(experiment, scores) {
  const { best } = experiment;
  const finished = fill(words.of, { n: whole.format(experiment.finished), all: whole.format(experiment.runs) });
  const trials =
    experiment.trials === null
      ? ""
      : `; ${fill(words.trials, { trials: whole.format(experiment.trials), most: whole.format(experiment.most_trials) })}`;
  const lost = best?.lost ? ` (${fill(words.diverged, { n: whole.format(best.lost) })})` : "";
  return [
    element("td", experiment.name),
    element("td", best ? value(best.value) + lost : "", "settings"),
    number(best ? best.score : null, scores),
    element("td", finished + trials),
  ];
}

// Failures keep their place, so that a log stays open; one that is open grows.

const failures = new Map();

function failure(name, log) {
  const known = failures.get(name);
  if (known) return known;
  const made = document.createElement("details");
  made.className = "failure";
  made.append(element("summary", ""));
  const end = element("pre", "");
  end.tabIndex = 0;
  end.setAttribute("aria-label", words.end_of_log);
  if (log) made.append(end);
  made.addEventListener("toggle", () => showLog(made, log));
  failures.set(name, made);
  return made;
}

async function showLog(made, log) {
  if (!made.open || !log) return;
  const answer = await fetch(`logs/${log}`);
  const end = made.querySelector("pre");
  const text = answer.ok ? await answer.text() : end.textContent;
  if (end.textContent !== text) end.textContent = text;
}

async function showFailures(state) {
  const runs = state.listed.filter((run) => run.state === "failed");
  const found = [
    ...runs.map((run) => ({ name: `${run.run}: ${run.message}`, log: run.log })),
    ...state.failed_steps.map((step) => ({ name: `${step.name}: ${step.message}`, log: step.log })),
  ];
  const made = found.map(({ name, log }) => {
    const each = failure(name, log);
    each.querySelector("summary").textContent = name;
    return each;
  });
  const shown = [...place("failed").children];
  if (shown.length !== made.length || made.some((each, at) => each !== shown[at])) {
    place("failed").replaceChildren(...made);
  }
  place("failures").hidden = !made.length;
  await Promise.all(found.map(({ log }, at) => showLog(made[at], log)));
}

// Curves: one chart, whose rows are put in its place.

let chart = null;

async function showCurves(state) {
  place("curves").hidden = !state.curves.length;
  if (!state.curves.length) return;
  const rows = state.curves.flatMap((curve) => {
    const names = curve.best_of.join(", ");
    const best = names && ` · ${fill(words.best_of, { names })}`;
    const line = settings(curve.settings) + best;
    return curve.epochs.map((epoch, at) => ({ line, epoch, score: curve.scores[at], loss: curve.losses[at] }));
  });
  const theme = dark.matches ? "dark" : "light";
  const kind = `${theme} ${state.task}`;
  if (chart?.kind !== kind) {
    chart?.view.finalize();
    const specification = structuredClone(behaviour.charts[state.task]);
    specification.data.values = rows;
    const { view } = await embedChart("#chart", specification, theme);
    chart = { kind, view };
  } else await chart.view.data("rows", rows).runAsync();
  place("chart").dataset.points = rows.length;
}

// All of it.

function showCounts(state) {
  const { finished = 0, ...others } = state.runs;
  const runs = finished + Object.values(others).reduce((sum, count) => sum + count, 0);
  const [done, wanted] = [state.done, state.wanted].map(whole.format);
  const counts = fill(words.counts, { finished: whole.format(finished), runs: whole.format(runs), done, wanted });
  const time = state.seconds_left === null ? words.left_unknown : fill(words.left, { time: duration(state.seconds_left) });
  place("counts").textContent = `${counts}; ${finished === runs ? words.left_none : time}`;
  place("situations").replaceChildren(
    ...Object.keys(words.situations)
      .filter((name) => state.runs[name])
      .map((name) => element("span", `${words.situations[name]}: ${whole.format(state.runs[name])}`, `situation ${name}`)),
  );
  place("progress").max = Math.max(1, state.wanted);
  place("progress").value = state.done;
  const share = state.wanted ? `${Math.floor((100 * state.done) / state.wanted)} % · ` : "";
  document.title = share + words.states[state.state];
}

async function show(state) {
  if (state.reports.length) {
    location.replace(`report.${state.reports.includes(language) ? language : state.reports[0]}.html`);
    return;
  }
  const heading = words.states[state.state];
  if (place("state").textContent !== heading) place("state").textContent = heading;
  place("shown").hidden = !state.listed.length;
  const scores = numbers(behaviour.digits[state.task]);
  document.querySelectorAll("[data-heading=score]").forEach((each) => (each.textContent = behaviour.measures[state.task].score));
  document.querySelectorAll("[data-heading=loss]").forEach((each) => (each.textContent = behaviour.measures[state.task].loss));
  showCounts(state);
  fillTable("experiments", state.experiments.map((experiment) => experimentRow(experiment, scores)));
  fillTable("runs", state.listed.map((run) => runRow(run, scores)));
  const all = Object.values(state.runs).reduce((sum, count) => sum + count, 0);
  place("more").hidden = all <= state.listed.length;
  place("more").textContent = fill(words.more, { n: whole.format(all - state.listed.length) });
  await showFailures(state);
  await showCurves(state);
}

async function look() {
  let state = null;
  try {
    const answer = await fetch("state.json");
    state = answer.ok ? await answer.json() : null;
  } catch {
    // Nobody is there.
  }
  place("lost").hidden = state !== null;
  if (state) await show(state);
}

// One look after the other; none while nobody sees the page.
async function watch() {
  try {
    if (!document.hidden) await look();
  } finally {
    setTimeout(watch, behaviour.period);
  }
}

watch();
