// The page of a review. Every text from a run or a reviewer goes into the page as text, never as markup.

const $ = (id) => document.getElementById(id);
const ROW = 44; // as in the style
const BATCH = 100; // rows fetched at once
const STEERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const GLYPHS = { ".": "", a: "✓", r: "✗", s: "–", d: "!" };
const MEANINGS = { ".": "undecided", a: "accepted", r: "rejected", s: "skipped", d: "disagreed" };

const state = {
  generation: "", sequence: 0, reviewer: "", languages: ["", ""], run: "", exports: [],
  ids: [], positions: new Map(), statuses: [], done: 0, // the view: what the filter lets through
  id: null, entry: null, chosen: 0, marked: new Set(),
  rows: new Map(), asked: new Set(), texts: new Map(),
  times: [], writing: null, learning: "idle",
};

// Talking with the server

async function answered(response) {
  const found = await response.json().catch(() => ({ error: `the server said ${response.status}` }));
  if (!response.ok) throw new Error(found.error ?? response.statusText);
  return found;
}

async function ask(name, parameters = {}) {
  const query = new URLSearchParams({ reviewer: state.reviewer, ...parameters });
  return answered(await fetch(`api/${name}?${query}`));
}

async function send(name, body) {
  return answered(await fetch(`api/${name}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  }));
}

let queue = Promise.resolve();

// Keys are done one after the other, however fast they come, each on what the one before has left.
function inTurn(deed) {
  queue = queue.then(deed).then(() => alarm(""), (error) => alarm(
    error instanceof TypeError
      ? "The server does not answer, so nothing was kept of your last key. Start it again; this page then goes on."
      : error.message,
  ));
  return queue;
}

function alarm(text) {
  if ($("alert").textContent !== text) $("alert").textContent = text;
  $("alert").hidden = !text;
}

const say = (text) => { $("said").textContent = text; };

// Making elements

function make(tag, facts = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (name === "on") for (const [event, deed] of Object.entries(value)) element.addEventListener(event, deed);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const steered = (text) => text.replace(STEERS, (mark) => mark === "\t" ? " " : `\\u${mark.codePointAt(0).toString(16).padStart(4, "0")}`);
// A mark that begins a word needs something to stand on.
const shown = (text) => (/^\p{M}/u.test(text) ? "\u25cc" : "") + steered(text);
const wordOf = (side, text, facts = {}) => make("bdi", { lang: state.languages[side], dir: "auto", ...facts }, shown(text));
const number = (value) => value.toLocaleString("en");
const percent = (value) => value === null ? "" : `${Math.round(100 * value)} %`;
const times = (count) => count === 1 ? "once" : `${number(count)} times`;

// The view: which entries, in which order

function filterFacts() {
  const chances = $("chances").value;
  const facts = { which: $("which").value, order: $("order").value, ranks: $("ranks").value, text: $("text").value.trim() };
  if (chances === "none") facts.candidates = "none";
  else { facts.chances = chances; if (chances !== "0-2") facts.candidates = "some"; }
  return facts;
}

async function view(keep = true) {
  const found = await ask("view", filterFacts());
  Object.assign(state, { generation: found.generation, sequence: found.sequence, ids: found.ids });
  state.statuses = [...found.statuses];
  state.positions = new Map(found.ids.map((id, at) => [id, at]));
  state.done = state.statuses.reduce((sum, one) => sum + (one !== "."), 0);
  state.rows.clear();
  state.asked.clear();
  $("rows").style.height = `${ROW * state.ids.length}px`;
  $("rows").replaceChildren();
  const total = state.ids.length;
  $("found").textContent = total ? `${number(total)} ${total === 1 ? "entry" : "entries"}` : "no entry";
  drawProgress();
  const at = keep && state.positions.has(state.id) ? state.positions.get(state.id) : Math.max(0, nextOpen(-1));
  if (total) await show(state.ids[at]); else drawEmpty();
  drawRows();
}

function nextOpen(after) {
  for (let step = 1; step <= state.ids.length; step += 1) {
    const at = (after + step) % state.ids.length;
    if (state.statuses[at] === ".") return at;
  }
  return -1;
}

function takeRow(row) {
  const at = state.positions.get(row.id);
  state.rows.set(row.id, row);
  if (at === undefined) return;
  state.done += (row.status !== ".") - (state.statuses[at] !== ".");
  state.statuses[at] = row.status;
}

function drawProgress() {
  const total = state.ids.length, share = total ? state.done / total : 0;
  $("bar").firstElementChild.style.transform = `scaleX(${share})`;
  $("bar").setAttribute("aria-valuemax", Math.max(1, total));
  $("bar").setAttribute("aria-valuenow", state.done);
  const left = timeLeft(total - state.done);
  $("progress-text").textContent = `${number(state.done)} of ${number(total)}${left && ` · ${left}`}`;
}

// By the median of the last steps; a pause of two minutes is none of them.
function timeLeft(count) {
  const gaps = state.times.slice(1).map((time, at) => time - state.times[at]).filter((gap) => gap < 120e3);
  if (gaps.length < 5 || !count) return "";
  const minutes = count * gaps.sort((a, b) => a - b)[gaps.length >> 1] / 60e3;
  if (minutes < 1) return "less than a minute left";
  return minutes < 90 ? `about ${Math.round(minutes)} min left` : `about ${number(Math.round(minutes / 60))} h left`;
}

// The list: only the lines that are seen are there

function drawRows() {
  const list = $("list"), first = Math.max(0, Math.floor(list.scrollTop / ROW) - 8);
  const last = Math.min(state.ids.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + 8);
  const lines = [];
  for (let at = first; at < last; at += 1) lines.push(listLine(at));
  $("rows").replaceChildren(...lines);
  const chosen = state.positions.get(state.id);
  if (chosen >= first && chosen < last) list.setAttribute("aria-activedescendant", `row-${chosen}`);
  else list.removeAttribute("aria-activedescendant");
  fetchRows(first, last);
}

function listLine(at) {
  const id = state.ids[at], row = state.rows.get(id), status = state.statuses[at];
  const line = make("div", {
    class: "row", role: "option", id: `row-${at}`, "aria-selected": String(id === state.id),
    "aria-posinset": at + 1, "aria-setsize": state.ids.length,
    on: { click: () => inTurn(() => { closeNarrowList(); return show(id); }) },
  });
  line.style.top = `${ROW * at}px`;
  const mark = make("span", { class: `status ${status}` }, GLYPHS[status], make("span", { class: "unseen" }, MEANINGS[status]));
  line.append(mark);
  if (!row) return line;
  const targets = make("span", { class: "targets" });
  row.targets.forEach((target, place) => targets.append(place ? ", " : "", wordOf(1, target)));
  line.append(make("span", { class: "source" }, wordOf(0, row.source)), targets, make("span", { class: "chance" }, percent(row.probability)));
  return line;
}

async function fetchRows(first, last) {
  const missing = [];
  for (let at = first; at < last; at += 1) {
    const id = state.ids[at];
    if (!state.rows.has(id) && !state.asked.has(id)) missing.push(id);
  }
  if (!missing.length) return;
  const generation = state.generation;
  for (let start = 0; start < missing.length; start += BATCH) {
    const ids = missing.slice(start, start + BATCH);
    ids.forEach((id) => state.asked.add(id));
    try {
      const rows = await ask("rows", { ids: ids.join(",") });
      if (generation !== state.generation) return;
      rows.forEach(takeRow);
    } catch { ids.forEach((id) => state.asked.delete(id)); return; }
  }
  drawRows();
}

// Where it is not seen it comes to the upper third, so that those after it are seen, too.
function seeRow(at) {
  const list = $("list"), top = at * ROW;
  if (top < list.scrollTop || top + 2 * ROW > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 3;
}

const narrow = matchMedia("(max-width: 46rem)");
function showList(whether) {
  document.body.classList.toggle("no-list", !whether);
  $("list-button").setAttribute("aria-expanded", String(whether));
  if (whether) { const at = state.positions.get(state.id); if (at !== undefined) seeRow(at); drawRows(); }
}
const closeNarrowList = () => { if (narrow.matches) showList(false); };
const listShown = () => !document.body.classList.contains("no-list");

// An entry

async function show(id) {
  const entry = await ask("entry", { id });
  if (!entry) return;
  state.id = id;
  state.marked.clear();
  closeWriter();
  state.chosen = Math.max(0, entry.candidates.findIndex((one) => !one.rejected.length));
  const at = state.positions.get(id);
  for (const step of [2, 1]) prefetch(at === undefined ? undefined : state.ids[at + step]);
  drawEntry(entry);
  $("main").scrollTop = 0;
  if (at !== undefined && listShown()) seeRow(at);
  drawRows();
}

function drawEmpty() {
  Object.assign(state, { id: null, entry: null });
  $("entry").hidden = true;
  $("empty").hidden = false;
  $("empty-title").textContent = "Nothing here";
  $("empty-text").textContent = $("text").value.trim()
    ? "No entry of this kind holds what you search for. Press g to look a word up in the text itself."
    : "No entry is of this kind.";
}

function drawEntry(entry) {
  state.entry = entry;
  state.rows.set(entry.id, entry);
  $("entry").hidden = false;
  $("empty").hidden = true;
  $("word").replaceChildren(wordOf(0, entry.source));
  const at = state.positions.get(entry.id);
  const facts = [times(entry.count) + " in the text", at === undefined ? "" : `${number(at + 1)} of ${number(state.ids.length)}`];
  if (entry.skipped.length) facts.push(`skipped by ${entry.skipped.map(steered).join(", ")}`);
  $("facts").textContent = facts.filter(Boolean).join(" · ");
  drawDispute(entry);
  $("candidates").replaceChildren(...entry.candidates.map(candidateLine));
  $("no-candidates").hidden = entry.candidates.length > 0;
  $("notes").replaceChildren(...entry.notes.map(([who, text]) => make("li", {}, make("b", {}, steered(who)), ": ", make("bdi", { dir: "auto" }, shown(text)))));
  document.title = `${shown(entry.source)} · ${state.languages.join("–")} review`;
  drawTexts(entry);
}

function drawDispute(entry) {
  const disputed = entry.candidates.filter((one) => one.accepted.length && one.rejected.length);
  $("dispute").hidden = !disputed.length;
  $("dispute").replaceChildren("Reviewers disagree: ", ...disputed.flatMap((one, place) => [
    place ? "; " : "", wordOf(1, one.target), ` is accepted by ${one.accepted.map(steered).join(", ")}, rejected by ${one.rejected.map(steered).join(", ")}`,
  ]));
}

function candidateLine(one, place) {
  const why = [one.count ? times(one.count) : "", one.evidence.join(", ")].filter(Boolean).join(" · ");
  const bar = make("i", { "aria-hidden": "true" });
  bar.style.setProperty("--share", `${100 * (one.probability ?? 0)}%`);
  const who = make("span", { class: "why" }, why);
  if (one.accepted.length) who.append(why ? " · " : "", make("span", { class: "who yes" }, `✓ ${one.accepted.map(steered).join(", ")}`));
  if (one.rejected.length) who.append(who.textContent ? " · " : "", make("span", { class: "who no" }, `✗ ${one.rejected.map(steered).join(", ")}`));
  const classes = [
    place === state.chosen && "chosen", state.marked.has(place) && "marked", one.rejected.length && !one.accepted.length && "rejected",
  ].filter(Boolean).join(" ");
  return make("li", { class: classes },
    make("button", { type: "button", class: "pick", "aria-pressed": String(place === state.chosen), on: { click: () => inTurn(() => choose(place)) } },
      make("span", { class: "number" }, String(place + 1)),
      make("span", { class: "target" }, wordOf(1, one.target)),
      one.probability === null ? make("span", {}) : make("span", { class: "chance" }, bar, percent(one.probability)),
      who),
    make("button", { type: "button", class: "do yes", "aria-label": `Accept ${shown(one.target)}`, on: { click: () => inTurn(() => accept([place])) } }, "✓"),
    make("button", { type: "button", class: "do no", "aria-label": `Reject ${shown(one.target)}`, on: { click: () => inTurn(() => reject(place)) } }, "✗"));
}

// Sentences, forms and near words

// A browser has six connections to a server: texts may use three, so that no decision waits for them. The last
// asked for comes first, since it is what is looked at; what has waited longest is given up.
const waiting = [];
let busy = 0;

function inBackground(get) {
  return new Promise((resolve, reject) => {
    waiting.push({ get, resolve, reject });
    if (waiting.length > 12) waiting.shift().reject(new Error("given up"));
    nextText();
  });
}

function nextText() {
  if (busy >= 3 || !waiting.length) return;
  const { get, resolve, reject } = waiting.pop();
  busy += 1;
  get().then(resolve, reject).finally(() => { busy -= 1; nextText(); });
}

const remembered = (key, get) => {
  if (!state.texts.has(key)) {
    if (state.texts.size > 300) state.texts.delete(state.texts.keys().next().value);
    const got = inBackground(get);
    got.catch(() => state.texts.delete(key));
    state.texts.set(key, got);
  }
  return state.texts.get(key);
};
const sentences = (side, word) => remembered(`s ${side} ${word}`, () => ask("sentences", { side, word }));
const near = (id, target) => remembered(`n ${state.generation} ${id} ${target}`, () => ask("near", { id, target }));

async function prefetch(id) {
  if (id === undefined) return;
  try {
    const row = state.rows.get(id) ?? (await ask("rows", { ids: id }))[0];
    await Promise.all([sentences("source", row.source), ...row.targets.slice(0, 1).map((target) => sentences("target", target))]);
  } catch { /* it is asked for again when it is needed */ }
}

function drawTexts(entry) {
  const target = entry.candidates[state.chosen]?.target;
  drawSentences("source", 0, entry.source, entry.id);
  drawSentences("target", 1, target, entry.id);
  for (const side of ["source", "target"]) $(`${side}-near`).replaceChildren();
  near(entry.id, target ?? "").then((found) => {
    if (state.id !== entry.id || state.entry.candidates[state.chosen]?.target !== target) return;
    $("source-near").replaceChildren(...nearLines(0, "Other forms", found.source_forms), ...nearLines(0, "Near it", found.source));
    const known = new Set(entry.candidates.map((one) => one.target));
    const others = found.translations.filter((word) => !known.has(word));
    $("target-near").replaceChildren(
      ...nearLines(1, "Other forms", found.target_forms, true), ...nearLines(1, "Near it", found.target, true),
      ...nearLines(1, `Near the ${nameOf(0)} word`, others, true));
  }, () => {});
}

const nameOf = (side) => {
  try { return new Intl.DisplayNames(["en"], { type: "language" }).of(state.languages[side]); } catch { return state.languages[side]; }
};

function nearLines(side, title, words, usable = false) {
  if (!words.length) return [];
  const shownWords = words.map((word) => usable
    ? make("button", { type: "button", class: "quiet add", title: "accept this word, too", on: { click: () => inTurn(() => add([word])) } }, wordOf(side, word))
    : wordOf(side, word));
  return [make("dt", {}, title), make("dd", {}, ...shownWords.flatMap((one) => [one, " "]))];
}

async function drawSentences(side, place, word, id) {
  const list = $(`${side}-sentences`), more = $(`${side}-more`), title = $(`${side}-title`);
  more.hidden = true;
  title.replaceChildren(nameOf(place));
  if (word === undefined) { list.replaceChildren(); return; }
  title.append(" ", make("small", {}, wordOf(place, word)));
  const late = setTimeout(() => list.replaceChildren(make("li", { class: "missing" }, "looking …")), 80);
  let found;
  try { found = await sentences(side, word); } catch (error) { found = { count: 0, passages: [], missing: error.message }; }
  clearTimeout(late);
  if (state.id !== id || (side === "target" && state.entry.candidates[state.chosen]?.target !== word)) return;
  if (found.count) title.lastElementChild.append(` · ${times(found.count)}`);
  list.replaceChildren(...found.passages.map((one) => sentence(place, one)));
  if (!found.passages.length) list.append(make("li", { class: "missing" }, found.missing ? steered(found.missing) : "It does not occur in the text."));
  more.hidden = found.passages.length < 5;
  more.onclick = () => inTurn(async () => {
    const next = await ask("sentences", { side, word, start: more.dataset.start ?? 0 });
    if (!more.dataset.start) list.replaceChildren();
    list.append(...next.passages.map((one) => sentence(place, one)));
    more.dataset.start = Number(more.dataset.start ?? 0) + next.passages.length;
    more.hidden = next.passages.length < 20;
  });
  delete more.dataset.start;
}

function sentence(place, passage) {
  const item = make("li", { lang: state.languages[place], dir: "auto", title: `line ${number(passage.line)}` });
  const fill = (segments) => item.replaceChildren(...segments.map(([text, marked]) => marked ? make("mark", {}, steered(text)) : steered(text)));
  fill(passage.segments);
  if (passage.whole) {
    item.append(" ", make("button", { type: "button", class: "quiet", "aria-label": "the whole line", on: { click: () => fill(passage.whole) } }, "⋯"));
  }
  return item;
}

// Deciding

const choice = (target, verdict, note = "") => ({ target, verdict, note });

async function decide(choices, goOn = true) {
  const id = state.id;
  const found = await send("decide", { reviewer: state.reviewer, id, choices });
  state.times = [...state.times.slice(-40), Date.now()];
  take(found.entry);
  if (goOn) await advance(); else drawEntry(found.entry);
}

function take(entry) {
  takeRow(entry);
  drawProgress();
  drawRows();
}

async function advance() {
  const at = state.positions.get(state.id) ?? -1;
  const walks = !["all", "open"].includes($("which").value);
  const next = walks ? at + 1 : nextOpen(at);
  if (next >= 0 && next < state.ids.length) return show(state.ids[next]);
  await show(state.id);
  $("entry").hidden = true;
  $("empty").hidden = false;
  $("empty-title").textContent = "All done";
  $("empty-text").textContent = `All ${number(state.ids.length)} entries of this view are decided.`;
}

const hasEntry = () => state.entry && !$("entry").hidden;

async function accept(places) {
  if (!hasEntry()) return;
  const wanted = places ?? (state.marked.size ? [...state.marked] : [state.chosen]);
  const targets = wanted.map((place) => state.entry.candidates[place]?.target).filter((one) => one !== undefined);
  if (!targets.length) return say("no such candidate");
  say(`accepted ${targets.join(", ")}`);
  await decide(targets.map((target) => choice(target, "accept")));
}

async function reject(place = state.chosen) {
  const candidates = state.entry?.candidates ?? [];
  if (!hasEntry() || !candidates[place]) return;
  const left = candidates.findIndex((one, at) => at !== place && !one.rejected.length);
  say(`rejected ${candidates[place].target}`);
  const decided = candidates.some((one) => one.accepted.length);
  if (left >= 0) state.chosen = candidates.findIndex((one, at) => at > place && !one.rejected.length);
  if (state.chosen < 0) state.chosen = left;
  await decide([choice(candidates[place].target, "reject")], left < 0 && !decided);
}

async function none() {
  if (!hasEntry()) return;
  if (!state.entry.candidates.length) return skip();
  say("none is right");
  await decide(state.entry.candidates.map((one) => choice(one.target, "reject")));
}

async function skip() {
  if (!hasEntry()) return;
  say("skipped");
  await decide([choice("", "skip")]);
}

async function add(targets, instead) {
  const choices = targets.map((target) => choice(target, "accept"));
  if (instead !== undefined && !targets.includes(instead)) choices.push(choice(instead, "reject"));
  say(`accepted ${targets.join(", ")}`);
  await decide(choices, false);
}

async function undo() {
  const found = await send("undo", { reviewer: state.reviewer });
  if (!found.entry) return say("there is nothing to undo");
  state.times.pop();
  take(found.entry);
  say(`undone: ${found.entry.source}`);
  await show(found.entry.id);
}

async function clear() {
  if (!hasEntry()) return;
  const found = await send("clear", { reviewer: state.reviewer, id: state.id });
  take(found.entry);
  drawEntry(found.entry);
  say("taken back");
}

async function choose(place) {
  if (!state.entry?.candidates[place]) return;
  state.chosen = place;
  const focused = document.activeElement?.classList.contains("pick");
  drawEntry(state.entry);
  if (focused) $("candidates").children[place].firstElementChild.focus();
}

async function mark() {
  if (!state.entry?.candidates[state.chosen]) return;
  if (!state.marked.delete(state.chosen)) state.marked.add(state.chosen);
  drawEntry(state.entry);
}

async function walk(step) {
  const at = state.positions.get(state.id) ?? (step > 0 ? -1 : 1);
  const next = at + step;
  if (next >= 0 && next < state.ids.length) await show(state.ids[next]);
}

// Writing: own translations, corrections, notes

const WRITERS = {
  edit: (chosen) => ({ label: "Correct the translation", text: chosen?.target ?? "" }),
  own: () => ({ label: "Your translation; a semicolon between several", text: "" }),
  note: () => ({ label: "Note", text: state.entry.notes.find(([who]) => who === state.reviewer)?.[1] ?? "" }),
};

// What is typed while an earlier key is still being answered goes into the field that is about to open, up to
// Enter, and to whatever comes after it.
let opening = null;

function write(kind) {
  opening = [];
  return inTurn(() => {
    const keys = opening ?? [];
    opening = null;
    if (!hasEntry()) return;
    const end = keys.findIndex((event) => event.key === "Enter" || event.key === "Escape");
    openWriter(kind, keys.slice(0, end < 0 ? keys.length : end).reduce(typed, ""));
    if (end < 0) return;
    if (keys[end].key === "Enter") $("writer").requestSubmit(); else closeWriter();
    keys.slice(end + 1).forEach(pressed);
  });
}

const typed = (text, { key }) => key === "Backspace" ? text.slice(0, -1) : key.length === 1 ? text + key : text;

function openWriter(kind, written) {
  const chosen = state.entry.candidates[state.chosen];
  const { label, text } = WRITERS[kind](chosen);
  state.writing = { kind, instead: kind === "edit" ? chosen?.target : undefined };
  $("written-label").textContent = label;
  $("written").value = written || text;
  $("written").lang = state.languages[1];
  $("writer").hidden = false;
  $("written").focus();
  if (!written) $("written").select();
}

function closeWriter() {
  const focused = $("writer").contains(document.activeElement);
  state.writing = null;
  $("writer").hidden = true;
  if (focused) document.activeElement.blur();
}

async function keepWritten({ kind, instead }, text) {
  if (kind === "note") return decide([choice("", "note", text)], false);
  const targets = text.split(";").map((one) => one.trim()).filter(Boolean);
  if (!targets.length) return undefined;
  await add(targets, instead);
  return advance();
}

$("writer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("written").value.trim(), { writing } = state;
  closeWriter();
  if (writing) inTurn(() => keepWritten(writing, text).catch((error) => { openWriter(writing.kind, text); throw error; }));
});
$("written-cancel").addEventListener("click", closeWriter);

// Dialogs

function asked(title, label, value = "") {
  const dialog = $("ask");
  $("ask-title").textContent = title;
  $("ask-label").textContent = label;
  $("ask-text").value = value;
  dialog.returnValue = "";
  dialog.showModal();
  $("ask-text").select();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    resolve(dialog.returnValue === "ok" ? $("ask-text").value.trim() : "");
  }, { once: true }));
}

async function jump() {
  const wanted = await asked("Jump", `A word, or a number from 1 to ${state.ids.length}`);
  if (!wanted) return;
  await inTurn(async () => {
    const at = /^[0-9]+$/u.test(wanted) ? Number(wanted) - 1 : -1;
    if (at >= 0 && at < state.ids.length) return show(state.ids[at]);
    const entry = await ask("entry", { word: wanted });
    if (!entry) throw new Error(`The word '${steered(wanted)}' does not occur in the text.`);
    return show(entry.id);
  });
}

async function rename() {
  const name = await asked("Reviewer", "Your name, which is kept with each decision", state.reviewer);
  if (!name) return;
  localStorage.setItem("jointalign reviewer", name);
  setReviewer(name);
  inTurn(() => view());
}

function setReviewer(name) {
  state.reviewer = name;
  state.times = [];
  $("name-button").textContent = steered(name);
  $("name-button").setAttribute("aria-label", `Reviewer ${steered(name)}: change`);
}

function drawExports() {
  $("exports").replaceChildren(...state.exports.map((form) => make("li", {},
    make("a", { href: `api/export?${new URLSearchParams({ form })}`, download: `dictionary${form}` }, `${form.slice(1)}${form === ".utf8" ? " (OmegaT)" : ""}`))));
}

$("merge").addEventListener("change", async () => {
  const [file] = $("merge").files;
  if (!file) return;
  try {
    const found = await send("merge", await file.text());
    $("merge-text").textContent = `${found.added} added, ${found.known} known, ${found.older} older than what is here`;
    await inTurn(() => view());
  } catch (error) { $("merge-text").textContent = error.message; }
  $("merge").value = "";
});

// Learning

function drawLearning(found) {
  const before = state.learning;
  state.learning = found.state;
  $("learn-progress").hidden = found.state !== "running";
  $("learn-start").disabled = found.state === "running";
  $("learn-button").textContent = found.state === "running" ? `Learning ${Math.round(100 * found.done / found.total)} %` : "Learn now";
  if (found.state === "running") {
    $("learn-progress").max = found.total;
    $("learn-progress").value = found.done;
    $("learn-text").textContent = found.note;
    $("learn-changes").replaceChildren();
  } else if (found.state === "failed" && before === "running") {
    $("learn-text").textContent = `Nothing was learnt: ${steered(found.reason)}`;
  }
}

function drawLearnt(learnt) {
  if (!learnt) return;
  $("learn-text").textContent = `Learnt from ${number(learnt.accepted)} accepted and ${number(learnt.rejected)} rejected pairs: `
    + `${number(learnt.changed)} words have another first candidate, ${number(learnt.found)} have candidates now that had none. Right first on unseen words: ${learnt.p_at_1.toFixed(1)} %.`;
  const lines = learnt.changes.map((one) => make("tr", {},
    make("td", {}, wordOf(0, one.source)), make("td", {}, one.before ? wordOf(1, one.before) : "none"), make("td", {}, wordOf(1, one.after)), make("td", {}, percent(one.probability))));
  if (!lines.length) return;
  const head = ["word", "before", "now", "probability"].map((text) => make("th", { scope: "col" }, text));
  $("learn-changes").replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...lines)));
}

$("learn-start").addEventListener("click", () => inTurn(async () => drawLearning(await send("learn", { reviewer: state.reviewer }))));

// What others do

async function look() {
  const found = await ask("changes", { generation: state.generation, since: state.sequence });
  drawLearning(found.learning);
  if (found.anew) return begin(true);
  state.sequence = found.sequence;
  const changed = found.rows.map((row) => { takeRow(row); return row.id; });
  if (!changed.length) return;
  drawProgress();
  drawRows();
  if (changed.includes(state.id) && hasEntry() && !state.writing) drawEntry(await ask("entry", { id: state.id }));
}

async function watch() {
  if (!document.hidden) await inTurn(look);
  setTimeout(watch, 2000);
}

async function begin(again = false) {
  const word = state.entry?.source;
  const found = await ask("start");
  Object.assign(state, { languages: found.languages, run: found.run, exports: found.exports });
  if (!again) {
    const named = new URLSearchParams(location.search).get("reviewer");
    setReviewer(named || localStorage.getItem("jointalign reviewer") || found.reviewer);
  }
  $("title").textContent = `${nameOf(0)} – ${nameOf(1)}`;
  $("title").title = found.run;
  for (const option of $("chances").options) option.disabled = !found.ranked && !["0-2", "none"].includes(option.value);
  drawExports();
  drawLearnt(found.learnt);
  state.texts.clear();
  state.id = null;
  if (again && word) {
    const entry = await ask("entry", { word });
    state.id = entry?.id ?? null;
  }
  await view();
}

// Keys

const DEEDS = {
  accept: () => accept(), reject: () => reject(), none, skip, undo, clear,
  next: () => walk(1), previous: () => walk(-1), mark,
  up: () => choose(Math.max(0, state.chosen - 1)), down: () => choose(Math.min(state.chosen + 1, (state.entry?.candidates.length ?? 1) - 1)),
};
const KEYS = {
  a: "accept", enter: "accept", r: "reject", x: "reject", 0: "none", s: "skip", u: "undo", c: "clear",
  j: "next", k: "previous", arrowright: "next", arrowleft: "previous", " ": "mark", arrowup: "up", arrowdown: "down",
};

// By the letter, or by its place where the keyboard writes another script.
function keyOf(event) {
  if (/^[\x20-\x7e]$/u.test(event.key) || event.key.length > 1) return event.key.toLowerCase();
  return event.code.replace(/^(Key|Digit)/u, "").toLowerCase();
}

function pressed(event) {
  const target = event.target, key = keyOf(event);
  if (document.querySelector("dialog[open]")) return;
  if (opening) { event.preventDefault(); opening.push(event); return; }
  if (target.closest("input, select, textarea")) {
    if (key === "escape") { closeWriter(); target.blur(); }
    return;
  }
  if ((event.ctrlKey || event.metaKey) && key === "z") { event.preventDefault(); inTurn(undo); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (target.closest("button, a") && (key === "enter" || key === " ")) return;
  if (target === $("list") && listKey(key)) { event.preventDefault(); return; }
  const deed = {
    "/": () => { showList(true); $("text").focus(); $("text").select(); }, g: jump, "?": () => $("help").showModal(), l: () => showList(!listShown()), escape: closeWriter,
    e: () => write("edit"), t: () => write("own"), n: () => write("note"),
  }[key];
  if (deed) { event.preventDefault(); deed(); return; }
  if (/^[1-9]$/u.test(key)) { event.preventDefault(); inTurn(() => accept([Number(key) - 1])); return; }
  if (Object.hasOwn(KEYS, key)) { event.preventDefault(); inTurn(DEEDS[KEYS[key]]); }
}

document.addEventListener("keydown", pressed);

const LIST_KEYS = {
  arrowdown: (at) => at + 1, arrowup: (at) => at - 1, pagedown: (at, page) => at + page, pageup: (at, page) => at - page,
  home: () => 0, end: () => state.ids.length - 1,
};

function listKey(key) {
  if (!Object.hasOwn(LIST_KEYS, key)) return false;
  inTurn(async () => {
    const page = Math.max(1, Math.floor($("list").clientHeight / ROW) - 1);
    const next = LIST_KEYS[key](state.positions.get(state.id) ?? -1, page);
    if (state.ids.length) await show(state.ids[Math.min(Math.max(0, next), state.ids.length - 1)]);
  });
  return true;
}

// Buttons

for (const button of document.querySelectorAll("[data-do]")) {
  const { do: name } = button.dataset;
  button.addEventListener("click", () => (name in WRITERS ? write(name) : inTurn(DEEDS[name])));
}
$("list-button").addEventListener("click", () => showList(!listShown()));
$("help-button").addEventListener("click", () => $("help").showModal());
$("learn-button").addEventListener("click", () => $("learn").showModal());
$("export-button").addEventListener("click", () => $("export").showModal());
$("name-button").addEventListener("click", rename);
$("empty-button").addEventListener("click", () => { $("filter").reset(); inTurn(() => view(false)); });
$("filter").addEventListener("submit", (event) => { event.preventDefault(); $("text").blur(); closeNarrowList(); });
let typing = 0;
$("filter").addEventListener("input", (event) => {
  clearTimeout(typing);
  typing = setTimeout(() => inTurn(() => view(event.target !== $("text"))), event.target === $("text") ? 150 : 0);
});
let drawing = 0;
$("list").addEventListener("scroll", () => { cancelAnimationFrame(drawing); drawing = requestAnimationFrame(drawRows); });
addEventListener("resize", drawRows);

showList(!narrow.matches);
inTurn(() => begin()).then(watch);
