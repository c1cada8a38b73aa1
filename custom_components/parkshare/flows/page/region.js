"use strict";
// Draw the part of a camera's picture in which plates are looked for. All edges are fractions of the picture.
const settings = JSON.parse(document.getElementById("settings").textContent);
const texts = settings.texts;
const byId = (id) => document.getElementById(id);
const [stage, picture, frame, plate] = ["stage", "picture", "frame", "plate"].map(byId);
const EDGES = ["left", "top", "right", "bottom"];
const OPPOSITE = { left: "right", right: "left", top: "bottom", bottom: "top" };
const LEAST = settings.least;
const WHOLE = { left: 0, top: 0, right: 1, bottom: 1 };
let region = Object.fromEntries(EDGES.map((edge, index) => [edge, settings.region[index]]));

const between = (value, low, high) => Math.min(Math.max(value, low), high);

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
}

// How wide a plate has to be to be found at the first glance; the same sum as in recognition/advice.py.
function plateWidth() {
  const pixels = picture.naturalWidth * picture.naturalHeight
    * (region.right - region.left) * (region.bottom - region.top);
  const shrunk = Math.min(1, Math.sqrt(settings.glance_pixels / Math.max(1, pixels)));
  return Math.ceil(Math.max(settings.plate_width, settings.glance_plate_width / shrunk));
}

function show() {
  frame.style.left = `${region.left * 100}%`;
  frame.style.top = `${region.top * 100}%`;
  frame.style.width = `${(region.right - region.left) * 100}%`;
  frame.style.height = `${(region.bottom - region.top) * 100}%`;
  for (const edge of EDGES) {
    const percent = Math.round(region[edge] * 100);
    byId(edge).value = percent;
    byId(edge).setAttribute("aria-valuetext", `${percent} %`);
  }
  if (!picture.naturalWidth) return;
  const wide = plateWidth();
  const scale = stage.clientWidth / picture.naturalWidth;
  plate.style.width = `${wide * scale}px`;
  plate.style.height = `${(wide / 4.6) * scale}px`;
  const text = wide > settings.plate_width ? texts.measure : texts.measure_best;
  byId("measure").textContent = fill(text, {
    width: picture.naturalWidth, height: picture.naturalHeight, plate: wide, least: settings.plate_width,
  });
}

// Move one edge; the opposite one stays, and the frame never gets smaller than LEAST.
function move(edge, value) {
  const other = region[OPPOSITE[edge]];
  region[edge] = edge === "left" || edge === "top"
    ? between(value, 0, other - LEAST) : between(value, other + LEAST, 1);
}

function at(event) {
  const box = stage.getBoundingClientRect();
  return {
    x: between((event.clientX - box.left) / box.width, 0, 1),
    y: between((event.clientY - box.top) / box.height, 0, 1),
  };
}

// A corner is pulled, the frame is moved, or a new one is drawn: what is under the finger decides.
let drag = null;
stage.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || drag) return;
  event.preventDefault();
  stage.setPointerCapture(event.pointerId);
  const begin = at(event);
  const grip = event.target.dataset.grip;
  const inside = event.target === frame && !EDGES.every((edge) => region[edge] === WHOLE[edge]);
  drag = { kind: grip ? "grip" : inside ? "move" : "draw", grip, begin, before: { ...region }, pointer: event.pointerId };
});
stage.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.pointer) return;
  const now = at(event);
  if (drag.kind === "grip") {
    for (const edge of drag.grip.split(" ")) move(edge, edge === "left" || edge === "right" ? now.x : now.y);
  } else if (drag.kind === "move") {
    const { before, begin } = drag;
    const x = between(now.x - begin.x, -before.left, 1 - before.right);
    const y = between(now.y - begin.y, -before.top, 1 - before.bottom);
    region = { left: before.left + x, right: before.right + x, top: before.top + y, bottom: before.bottom + y };
  } else if (Math.abs(now.x - drag.begin.x) >= LEAST && Math.abs(now.y - drag.begin.y) >= LEAST) {
    region = {
      left: Math.min(now.x, drag.begin.x), right: Math.max(now.x, drag.begin.x),
      top: Math.min(now.y, drag.begin.y), bottom: Math.max(now.y, drag.begin.y),
    };
  }
  show();
});
for (const end of ["pointerup", "pointercancel"]) {
  stage.addEventListener(end, (event) => {
    if (drag && event.pointerId === drag.pointer) drag = null;
  });
}

for (const edge of EDGES) {
  byId(edge).addEventListener("input", (event) => {
    move(edge, Number(event.target.value) / 100);
    show();
  });
}

const buttons = [...document.querySelectorAll("button")];

async function answer(value) {
  buttons.forEach((button) => { button.disabled = true; });
  let said = texts.failed;
  let done = false;
  try {
    const response = await fetch(location.href, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ region: value }),
    });
    done = response.ok;
    said = response.ok ? texts.done : response.status === 404 ? texts.expired : texts.failed;
    done = done || response.status === 404;
  } catch {
    // Not reached: the buttons may be pressed again.
  }
  byId("said").textContent = said;
  if (!done) buttons.forEach((button) => { button.disabled = false; });
  if (said === texts.done) window.close();
}

byId("save").addEventListener("click", () => answer(EDGES.map((edge) => Number(region[edge].toFixed(4)))));
byId("whole").addEventListener("click", () => { region = { ...WHOLE }; show(); });
byId("cancel").addEventListener("click", () => answer(null));

for (const element of document.querySelectorAll("[data-text]")) element.textContent = texts[element.dataset.text];
picture.addEventListener("load", show);
picture.addEventListener("error", () => { byId("said").textContent = texts.expired; });
addEventListener("resize", show);
show();
