"use strict";
// The page is complete without this; it only switches the maps of the picture.
for (const viewer of document.querySelectorAll(".viewer")) {
  const form = viewer.querySelector(".controls");
  if (!form) continue;
  const stack = viewer.querySelector(".stack");
  let shown = stack.querySelector(".shown");
  const outlines = stack.querySelector(".outlines");
  if (!shown) {
    shown = document.createElementNS("http://www.w3.org/2000/svg", "use");
    stack.insertBefore(shown, outlines);
  }
  const update = () => {
    const chosen = form.querySelector("input[type=radio]:checked");
    const name = chosen ? chosen.value : "";
    if (name) shown.setAttribute("href", `#${viewer.dataset.file}-layer-${name}`);
    shown.setAttribute("opacity", name ? form.querySelector("input[type=range]").value / 100 : 0);
    const box = form.querySelector("input[type=checkbox]");
    if (box) outlines.setAttribute("visibility", box.checked ? "visible" : "hidden");
  };
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  update();
}
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
